/* SPDX-License-Identifier: ISC */
/*
 * The event loop.  Engine, unprivileged.
 */
#include "engine/loop.h"

#include "base/clock.h"

#include <sys/prctl.h>

#include <event2/event.h>
#include <unistd.h>

struct event_base *
loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	/* No threads here, and the environment must not choose for us. */
	if (config != NULL &&
	    event_config_set_flag(config,
		EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return base;
}

void
loop_free(struct event_base *base)
{
	if (base != NULL)
		event_base_free(base);
}

void
loop_stop(struct event_base *base)
{
	event_base_loopbreak(base);
}

/* One round of events after the other, with a pause between them when much
 * arrives; see pace.h. */
void
loop_run(struct core *core, const int *status)
{
	struct coalesce pace = {0};
	unsigned int pause_us = 0;

	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* ns: a pause is short */
	/* While boards are watched nothing may be waited for but the pause. */
	while (*status == -1 &&
	    event_base_loop(core->base,
		pause_us == 0 ? EVLOOP_ONCE : EVLOOP_NONBLOCK) == 0) {
		pause_us =
		    coalesce_next_us(&pace, clock_us(), &core->load.count);
		core->load.pausing = pause_us != 0;
		receipt_ring_list_watch(
		    &core->workers.rings, core->load.pausing);
		if (pause_us != 0 && !core->load.more)
			usleep(pause_us);
		core->load.more = 0;
		if (core->workers.rings.watched)
			receipt_ring_list_read(&core->workers.rings);
	}
}
