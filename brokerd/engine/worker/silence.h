/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/handoff.h"
#include "engine/policy/reading.h"

#include <stdint.h>

struct worker;

/* How a worker answers.  An answer is a receipt, or a mailbox that is read. */
enum silence_state {
	SILENCE_NONE,  /* it answers */
	SILENCE_LATE,  /* it is late: others get the next connection */
	SILENCE_BUSY,  /* it read a connection stuck-after ago or earlier, and
			* serves it since then or hangs: it gets no more */
	SILENCE_STUCK, /* it has not read its mailbox for stuck-after */
};

struct silence {
	enum silence_state state;
	struct reading reading; /* hand-offs that get no receipt */
	/* Of the last hand-off. */
	struct stats_listener *stats;
	uint32_t after_s; /* stuck-after; 0: never */
	/* When the oldest hand-off was sent whose receipt did not come within
	 * receipt-timeout, and when that was noticed; 0: answered since. */
	uint64_t expired_us, noticed_us;
	uint64_t answered_us;
	uint64_t began_us; /* of the worker's last silence, for the log */
};

/* A hand-off was sent, with or without a receipt to come. */
void silence_on_sent(
    struct worker *worker, const struct handoff *handoff, int receipted);

/* The worker has answered: if it was silent, this is over. */
void silence_on_answer(struct worker *worker);

/* The worker sends no receipts any more: from now on only its reading is an
 * answer. */
void silence_become_plain(struct worker *worker);

/* Asks the kernel whether the mailbox is read, if it was sent hand-offs without
 * receipts. */
void silence_look(struct worker *worker);

/* When the oldest hand-off was sent that has no answer, or 0. */
uint64_t silence_since_us(const struct worker *worker);

/* Checks the worker again after a while, if it owes an answer. */
void silence_watch(struct worker *worker);

/* The time for that has come.  May free worker. */
void silence_on_time(void *owner);
