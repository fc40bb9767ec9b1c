/* SPDX-License-Identifier: ISC */
/*
 * How an engine ends.  Unprivileged.  What it has accepted goes to workers or
 * is refused, receipts are waited for, and endpoints that the next engine does
 * not have are served until nothing waits there.
 */
#include "engine/life/drain.h"

#include "base/clock.h"

#include <event2/event.h>
#include <sysexits.h>

/* Nobody came for these in time. */
static void
drain_refuse(struct drain *drain)
{
	struct listener *listener;
	struct pool *pool;

	TAILQ_FOREACH (listener, drain->listeners, entry) {
		listener_stop(listener, NULL);
		listener->stats->refused_drain +=
		    listener_refuse_held(listener);
	}
	TAILQ_FOREACH (pool, drain->pools, entry)
		pool_release(pool);
	control_close(drain->control);
}

static int
drain_is_busy(struct drain *drain)
{
	struct listener *listener;
	struct pool *pool;
	int busy =
	    drain->core->refusals.count != 0 || control_is_busy(drain->control);

	TAILQ_FOREACH (listener, drain->listeners, entry)
		busy |= listener_is_served(listener);
	TAILQ_FOREACH (pool, drain->pools, entry)
		busy |= pool_is_busy(pool);
	return busy;
}

/* Ends as soon as no connection is in the engine's hands any more. */
static void
drain_on_look(evutil_socket_t fd, short what, void *argument)
{
	static const struct timeval again = {0, 10000};
	struct drain *drain = argument;

	(void)fd;
	(void)what;
	if (clock_ms() >= drain->until_ms)
		drain_refuse(drain);
	if (drain_is_busy(drain)) {
		event_add(drain->look, &again);
	} else {
		*drain->status = EX_OK;
		event_base_loopbreak(drain->core->base);
	}
}

int
drain_init(struct drain *drain, struct core *core,
    struct listener_list *listeners, struct pool_list *pools,
    struct control *control, int *status)
{
	*drain = (struct drain){.core = core,
	    .listeners = listeners,
	    .pools = pools,
	    .control = control,
	    .status = status};
	drain->look = evtimer_new(core->base, drain_on_look, drain);
	return drain->look == NULL ? -1 : 0;
}

void
drain_start(struct drain *drain, const struct channel_drain *how)
{
	struct listener *listener;

	if (drain->until_ms != 0)
		return;
	drain->until_ms = clock_ms() + how->timeout_ms;
	TAILQ_FOREACH (listener, drain->listeners, entry)
		listener_stop(listener, how);
	control_stop(drain->control);
	drain_on_look(-1, 0, drain);
}

void
drain_done(struct drain *drain)
{
	if (drain->look != NULL)
		event_free(drain->look);
	drain->look = NULL;
}
