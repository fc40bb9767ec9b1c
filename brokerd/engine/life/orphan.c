/* SPDX-License-Identifier: ISC */
/*
 * An engine without a monitor.  Unprivileged.  It gives its sockets to nobody
 * but root or its own user, who could take them in any case.
 */
#include "engine/life/orphan.h"

#include "base/clock.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another engine has all of it (nobody: 0), or nobody has (0xff). */
static void
orphan_drain(struct orphan *orphan, unsigned char nobody)
{
	struct channel_drain how = {.timeout_ms = 10000};

	memset(how.removed, nobody, sizeof(how.removed));
	drain_start(orphan->drain, &how);
}

static void
orphan_on_late(evutil_socket_t fd, short what, void *argument)
{
	struct orphan *orphan = argument;

	(void)fd;
	(void)what;
	log_line(&orphan->drain->core->log, LOG_ERR,
	    "no monitor for %u s: draining", orphan->timeout_s);
	orphan_drain(orphan, 0xff); /* after what waits now */
}

int
orphan_add(struct orphan *orphan, int fd)
{
	int *fds =
	    reallocarray(orphan->fds, orphan->count + 1, sizeof(*orphan->fds));

	if (fds == NULL)
		return -1;
	orphan->fds = fds;
	orphan->fds[orphan->count++] = fd;
	return 0;
}

void
orphan_start(struct orphan *orphan, struct drain *drain)
{
	struct timeval timeout = {.tv_sec = (time_t)orphan->timeout_s};

	orphan->drain = drain;
	drain->control->orphan_until_ms =
	    clock_ms() + UINT64_C(1000) * orphan->timeout_s;
	orphan->late = evtimer_new(drain->core->base, orphan_on_late, orphan);
	log_line(&drain->core->log, LOG_ERR,
	    "the monitor is gone: serving on until another one comes, for at "
	    "most %u s",
	    orphan->timeout_s);
	if (orphan->late == NULL || orphan->timeout_s == 0)
		orphan_drain(orphan, 0);
	else
		event_add(orphan->late, &timeout);
}

int
orphan_on_adopt(
    struct orphan *orphan, const struct channel_adopt *adopt, uid_t uid, int fd)
{
	uint32_t number = adopt->number;

	if (orphan->late == NULL || orphan->drain->until_ms != 0 ||
	    (uid != 0 && uid != geteuid()))
		return -1;
	if (number == CHANNEL_ADOPTED) {
		log_line(&orphan->drain->core->log, LOG_NOTICE,
		    "another monitor has the sockets: draining");
		event_del(orphan->late);
		orphan_drain(orphan, 0);
		return 0;
	}
	if (number < orphan->count)
		return channel_put(fd, "f", 1, orphan->fds[number]);
	return channel_put(
	    fd, "f", 1, number == orphan->count ? CHANNEL_MEMFD : -1);
}

void
orphan_done(struct orphan *orphan)
{
	if (orphan->late != NULL)
		event_free(orphan->late);
	free(orphan->fds);
}
