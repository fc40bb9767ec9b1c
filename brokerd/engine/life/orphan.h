/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "channel/adoption.h"
#include "engine/handoff/ledger.h"
#include "engine/life/drain.h"

#include <sys/types.h>

/* An engine whose monitor has died serves on until another monitor has taken
 * the sockets from it, or for a limited time. */
struct orphan {
	struct log *log;
	struct drain *drain;
	struct timer limit;
	uint32_t timeout_s;
	int alone; /* the monitor is gone */
};

/* An engine with a monitor; borrows log and drain.  0, or -1 with errno. */
int orphan_init(struct orphan *orphan, struct event_base *base, struct log *log,
    struct drain *drain);

/* The monitor is gone.  Returns the time at which the engine drains unless
 * another monitor has come, as clock_ms(), and notes it for the keeper. */
uint64_t orphan_start(struct orphan *orphan, struct ledger *ledger);

/* A process with that uid asks on fd (borrowed) for the sockets, see struct
 * channel_adopt.  0, or -1: it may not have them. */
int orphan_on_adopt(struct orphan *orphan, const struct channel_adopt *adopt,
    uid_t uid, int fd, const struct ledger *ledger);

/* Frees the timer.  All zeros are accepted. */
void orphan_done(struct orphan *orphan);
