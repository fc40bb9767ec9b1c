/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_TOUCHED_H
#define ENGINE_HANDOFF_TOUCHED_H

#include "engine/handoff/handoff.h"

/* What the kernel says of a TCP connection. */
struct touched {
	int state;       /* TCP_ESTABLISHED ..., see tcp_info */
	int shut;        /* POLLRDHUP */
	uint64_t queued; /* SIOCINQ, before and after the rest */
	uint64_t queued_again;
	uint64_t received; /* payload bytes; a FIN counts as one */
	uint64_t sent;     /* payload bytes, and those not sent yet */
};

enum touched_verdict {
	TOUCHED_PROVED,
	TOUCHED_AGAIN, /* data came in between: look once more */
	TOUCHED_NOT,
	TOUCHED_DEAD, /* the connection is no more */
};

/* Whether a dead worker can have read, written or shut down any of it. */
enum touched_verdict touched_judge(const struct touched *facts);

/* Judges the connection of a hand-off whose worker died without a receipt.
 * Receipts of local sockets are sent on arrival, so the worker's application
 * never had one that lacks it. */
enum touched_verdict touched_look(const struct handoff *handoff);

#endif
