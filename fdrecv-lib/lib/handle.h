/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/batch.h"
#include "lib/bound_mailbox.h"
#include "lib/engine_conns.h"
#include "lib/lent_cookies.h"
#include "lib/usage.h"

/* A worker's mailbox, as fdrecv_open() returns it. */
struct fdrecv {
	struct bound_mailbox bound;
	struct engine_conns engines;
	unsigned int flags; /* enum fdrecv_flag */
	struct usage *usage;
	int epoll;          /* -1 until fdrecv_fd() is called */
	int polls_readable; /* epoll is readable even without datagrams */
	uint64_t due_epoch; /* of the hand-off whose receipt is due, or 0 */
	uint64_t due_sequence;
	struct lent_cookies lent;
	struct batch batch;
};

/* Gives the receipt that is due, if one is. */
void fdrecv_confirm_due(struct fdrecv *mailbox);
