/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/channel.h"
#include "engine/handoff/ledger.h"
#include "engine/handoff/stats.h"
#include "engine/timer.h"

struct event_base;

struct inheritance_callbacks {
	/* An administrator has told the engine before something, which stats
	 * has now. */
	void (*on_said)(void *owner);
};

/* This engine takes over from earlier ones what they have counted and were
 * told. */
struct inheritance {
	struct stats *stats; /* borrowed, as the next two */
	struct ledger *ledger;
	struct log *log;
	struct timer look;
	uint64_t until_ms; /* the engine before may be told something */
	const struct inheritance_callbacks *callbacks;
	void *owner;
};

/* 0, or -1 with errno. */
int inheritance_init(struct inheritance *inheritance, struct event_base *base,
    struct stats *stats, struct ledger *ledger, struct log *log,
    const struct inheritance_callbacks *callbacks, void *owner);

/* CHANNEL_COUNTERS_* came (takes fd), in that phase; answers the last one if
 * this engine is not loading.  0, or -1 after a line in the log. */
int inheritance_on_counters(struct inheritance *inheritance,
    enum channel_type type, enum channel_phase phase, int fd);

/* The table is complete.  0, or -1 after a line in the log. */
int inheritance_load(struct inheritance *inheritance);

/* This engine is about to serve: reads what the one before was told, and again
 * until that one drains. */
void inheritance_start(struct inheritance *inheritance);

void inheritance_done(struct inheritance *inheritance);
