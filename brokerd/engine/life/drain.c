/* SPDX-License-Identifier: ISC */
/*
 * The end of an engine.  Unprivileged.  No part tells when it is done, so all
 * of them are asked again and again, for the short time that a drain takes.
 */
#include "engine/life/drain.h"

#include "base/clock.h"

#define DRAIN_LOOK_US 10000

static int
drain_is_busy(const struct drain *drain)
{
	int busy = 0;

	for (size_t i = 0; i < drain->count; i++)
		busy |=
		    drain->parts[i].callbacks->is_busy(drain->parts[i].owner);
	return busy;
}

static void
drain_on_look(void *owner)
{
	struct drain *drain = owner;

	if (clock_ms() >= drain->until_ms)
		for (size_t i = 0; i < drain->count; i++)
			drain->parts[i].callbacks->end(drain->parts[i].owner);
	if (drain_is_busy(drain))
		timer_set(&drain->look, DRAIN_LOOK_US);
	else
		drain->on_end(drain->owner);
}

int
drain_init(struct drain *drain, struct event_base *base,
    void (*on_end)(void *owner), void *owner)
{
	*drain = (struct drain){.on_end = on_end, .owner = owner};
	return timer_init(&drain->look, base, drain_on_look, drain);
}

void
drain_add(
    struct drain *drain, const struct drain_callbacks *callbacks, void *owner)
{
	if (drain->count < DRAIN_PARTS)
		drain->parts[drain->count++] =
		    (struct drain_part){callbacks, owner};
}

void
drain_start(struct drain *drain, const struct channel_drain *how)
{
	if (drain->until_ms != 0)
		return;
	drain->until_ms = clock_ms() + how->timeout_ms;
	for (size_t i = 0; i < drain->count; i++)
		drain->parts[i].callbacks->stop(drain->parts[i].owner, how);
	drain_on_look(drain);
}

void
drain_done(struct drain *drain)
{
	timer_done(&drain->look);
}
