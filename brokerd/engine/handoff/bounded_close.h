/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/timer.h"

#include <stdint.h>

struct ledger;

/* How long a close may last.  After one that lasted so long, the next ones are
 * interrupted far earlier. */
#define BOUNDED_CLOSE_US 5000

/* Closes descriptors that strangers share or have sent: the kernel waits for
 * SO_LINGER, but here for at most BOUNDED_CLOSE_US.  A process can have only
 * one, see fd_limit_close(); the signal interrupts other calls too. */
struct bounded_close {
	struct ledger *ledger; /* notes what is closed; or NULL */
	struct timer idle;
	uint64_t begun_us;
	uint64_t spent_us;    /* in all of them */
	int limited;          /* fd_limit_close() is in force */
	int used;             /* since the idle timer was set */
	unsigned int suspect; /* closes left with the short limit */
};

/* Borrows all.  0, or -1 with ENOMEM. */
int bounded_close_init(struct bounded_close *bounded, struct event_base *base,
    struct ledger *ledger);

void bounded_close_done(struct bounded_close *bounded);

/* Closes fd (takes it; -1 is accepted) and descriptors queued in it.  Returns
 * -1. */
int bounded_close_fd(struct bounded_close *bounded, int fd);

/* The same for descriptors that are closed between these two calls: recvmsg(2)
 * closes descriptors that it has no room for. */
void bounded_close_begin(struct bounded_close *bounded);
void bounded_close_end(struct bounded_close *bounded);

/* Lifts the limit until the next close.  To be called when somebody else has
 * called fd_limit_close(). */
void bounded_close_stop(struct bounded_close *bounded);
