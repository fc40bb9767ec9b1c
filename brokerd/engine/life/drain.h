/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/message.h"
#include "engine/timer.h"

struct drain_callbacks {
	/* Everything begins to end, as how says. */
	void (*on_start)(void *owner, const struct channel_drain *how);
	/* True while anything needs the engine. */
	int (*is_busy)(void *owner);
	/* The time is up: gives up everything that keeps it busy. */
	void (*on_timeout)(void *owner);
	/* It is not busy any more. */
	void (*on_end)(void *owner);
};

/* The end of an engine, which lives on until it is not busy any more, or until
 * its time is up. */
struct drain {
	const struct drain_callbacks *callbacks;
	void *owner;
	struct timer look;
	uint64_t until_ms; /* 0: it has not begun */
};

/* A drain that has not begun.  0, or -1 with errno. */
int drain_init(struct drain *drain, struct event_base *base,
    const struct drain_callbacks *callbacks, void *owner);

/* Begins, as how says; has no effect when it has begun. */
void drain_start(struct drain *drain, const struct channel_drain *how);

/* Frees the timer.  All zeros are accepted. */
void drain_done(struct drain *drain);
