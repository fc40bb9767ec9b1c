/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* What the kernel says of a TCP connection. */
struct touched_facts {
	int state;       /* TCP_ESTABLISHED ..., see tcp_info */
	int shut;        /* POLLRDHUP */
	uint64_t queued; /* SIOCINQ, asked first and again at the end */
	uint64_t queued_again;
	uint64_t received; /* payload bytes; a FIN counts as one */
	uint64_t sent;     /* payload bytes, sent or in the send queue */
};

enum touched {
	TOUCHED_NO,        /* it can be handed to another worker */
	TOUCHED_PERHAPS,   /* nothing proves that it was not */
	TOUCHED_ASK_AGAIN, /* data arrived while the kernel was asked */
	TOUCHED_CLOSED,    /* the connection does not exist any more */
};

/* Tells whether somebody can have read, written or shut down any of it. */
enum touched touched_judge(const struct touched_facts *facts);
