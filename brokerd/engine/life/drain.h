/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/message.h"
#include "engine/timer.h"

#include <stddef.h>

#define DRAIN_PARTS 4

/* Calls to a part of the engine. */
struct drain_callbacks {
	/* Begins to end, as how says. */
	void (*stop)(void *owner, const struct channel_drain *how);
	/* True while this part needs the engine. */
	int (*is_busy)(void *owner);
	/* The time is up: gives up everything that keeps it busy. */
	void (*end)(void *owner);
};

struct drain_part {
	const struct drain_callbacks *callbacks;
	void *owner;
};

/* The end of an engine: its parts stop, and it lives on until none of them is
 * busy any more, or until its time is up. */
struct drain {
	struct drain_part parts[DRAIN_PARTS];
	size_t count;
	void (*on_end)(void *owner);
	void *owner;
	struct timer look;
	uint64_t until_ms; /* 0: it has not begun */
};

/* A drain of no parts, which calls on_end at its end.  0, or -1 with errno. */
int drain_init(struct drain *drain, struct event_base *base,
    void (*on_end)(void *owner), void *owner);

/* Adds a part, at most DRAIN_PARTS.  Parts are asked in the order in which
 * they were added. */
void drain_add(
    struct drain *drain, const struct drain_callbacks *callbacks, void *owner);

/* Begins, as how says; has no effect when it has begun. */
void drain_start(struct drain *drain, const struct channel_drain *how);

/* Frees the timer.  All zeros are accepted. */
void drain_done(struct drain *drain);
