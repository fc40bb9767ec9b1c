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
	int is_checked;     /* in this process: its descriptors are open */
	struct usage *usage;
	int epoll;          /* -1 until fdrecv_fd() is called */
	int polls_readable; /* epoll is readable even without datagrams */
	uint64_t due_epoch; /* of the hand-off whose receipt is due, or 0 */
	uint64_t due_sequence;
	/* The first hand-off that was returned since the last fork(2). */
	uint64_t unforked_epoch, unforked_sequence;
	unsigned int forks; /* that fork(2), see sharers.h */
	struct lent_cookies lent;
	struct batch batch;
};

/* Before a process uses the mailbox, for the first time or after fork(2). */
void fdrecv_handle_prepare(struct fdrecv *mailbox);

/* True if the socket is open.  If the program has closed it, all descriptors
 * may be other files by now: forgets them.  Keeps errno. */
int fdrecv_handle_check(struct fdrecv *mailbox);

/* For functions that do not fail.  True if the mailbox is locked now.  Keeps
 * errno. */
int fdrecv_handle_lock(struct fdrecv *mailbox);

/* Arranges for the receipt of a hand-off that the program gets. */
void fdrecv_hand_out(
    struct fdrecv *mailbox, const struct fdrecv_handoff *found);

/* Reports what could not be reported before.  True if there is memory. */
int fdrecv_report_late(struct fdrecv *mailbox);

/* Gives the receipt that is due, if one is. */
void fdrecv_confirm_due(struct fdrecv *mailbox);
