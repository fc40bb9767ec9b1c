/* SPDX-License-Identifier: ISC */
/*
 * The end of an engine.  Unprivileged.  No part of it reports its end, so all
 * parts are asked again and again for the short time that a drain takes.
 */
#include "engine/life/drain.h"

#include "base/clock.h"

#define DRAIN_LOOK_US 10000

static void
drain_on_look(void *owner)
{
	struct drain *drain = owner;

	if (clock_ms() >= drain->until_ms)
		drain->callbacks->on_timeout(drain->owner);
	if (drain->callbacks->is_busy(drain->owner))
		timer_set(&drain->look, DRAIN_LOOK_US);
	else
		drain->callbacks->on_end(drain->owner);
}

int
drain_init(struct drain *drain, struct event_base *base,
    const struct drain_callbacks *callbacks, void *owner)
{
	*drain = (struct drain){.callbacks = callbacks, .owner = owner};
	return timer_init(&drain->look, base, drain_on_look, drain);
}

void
drain_start(struct drain *drain, const struct channel_drain *how)
{
	if (drain->until_ms != 0)
		return;
	drain->until_ms = clock_ms() + how->timeout_ms;
	drain->callbacks->on_start(drain->owner, how);
	drain_on_look(drain);
}

void
drain_done(struct drain *drain)
{
	timer_done(&drain->look);
}
