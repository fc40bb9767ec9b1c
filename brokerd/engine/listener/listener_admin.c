/* SPDX-License-Identifier: ISC */
/*
 * What an administrator asks of listeners, and tells them.  Engine,
 * unprivileged.
 */
#include "engine/listener/listener.h"

#include "engine/core.h"
#include <errno.h>

int
listener_is_lent(const struct listener *listener)
{
	return listener->record->handoff == RECORD_LISTENER;
}

const char *
listener_state_name(const struct listener *listener)
{
	static const char *const names[] = {
	    [LISTENER_STOPPED] = "stopped",
	    [LISTENER_OPEN] = "open",
	    [LISTENER_WAITING] = "waiting",
	    [LISTENER_REFUSING] = "refusing",
	    [LISTENER_RESTING] = "resting",
	    [LISTENER_PAUSED] = "paused",
	};

	if (listener->state != LISTENER_OPEN)
		return names[listener->state];
	if (listener_is_lent(listener))
		return "lent";
	/* It knows when the first one comes. */
	return names[pool_has_worker(listener->pool) ? LISTENER_OPEN :
						       LISTENER_WAITING];
}

/* Noted before anything is done, so that the next engine knows as well. */
int
listener_set_paused(struct listener *listener, int paused)
{
	int is_paused = listener->state == LISTENER_PAUSED;

	errno = EOPNOTSUPP;
	if (listener_is_lent(listener) ||
	    stats_set_paused(&listener->core->stats, listener->record->listener,
		paused) == -1)
		return -1;
	if (listener->state == LISTENER_STOPPED || paused == is_paused)
		return 0;
	listener->absent_ms = 0; /* that clock stands still */
	listener_enter(listener, paused ? LISTENER_PAUSED : LISTENER_OPEN);
	return 0;
}
