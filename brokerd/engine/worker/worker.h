/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/mailbox/mailbox.h"
#include "engine/policy/share.h"
#include "engine/worker/loan.h"
#include "engine/worker/owner_quota.h"
#include "engine/worker/receipt_conn.h"
#include "engine/worker/silence.h"
#include "engine/worker/unreceipted.h"
#include "engine/worker/worker_callbacks.h"
#include "engine/worker/worker_kind.h"

/* One worker: its mailbox, and what is known of the process behind it. */
struct worker {
	TAILQ_ENTRY(worker) entry, queue_entry, owner_entry;
	struct worker_context *context;
	const struct worker_callbacks *callbacks;
	void *owner;
	char name[RECORD_PATH_SIZE]; /* in its directory */
	struct mailbox mailbox;
	enum worker_kind kind;
	/* Until writable or rest reports room; it takes no more; its mailbox
	 * has lost its name; its process is gone, and that name is not. */
	int full, has_left, unlinked, dead;
	/* By an administrator; by itself; it keeps connections up to date. */
	int draining, paused, counts_connections;
	/* Several processes read the mailbox, so it is plain; a HELLO is sure
	 * to come; a child survives the dead process, and says so. */
	int shared, hello_expected, has_survivor, has_successor;
	/* It takes links, or has said HELLO once; a look comes soon whether its
	 * mailbox is open after its end; it was shared with processes that may
	 * not have said HELLO here. */
	int knows_receipts, looks_again, was_shared;
	int said_hello;              /* to an earlier engine */
	struct receipt_conn *ending; /* on_death has to free it */
	/* Of the process; 0: no HELLO so far. */
	uint64_t instance;
	/* That the application serves, if it counts_connections. */
	uint32_t connections;
	/* With a HELLO; a link on which none has come. */
	struct receipt_conn_list conns, links;
	int link; /* its other end, until it is sent; -1: there is none */
	struct owner_quota *quota; /* of the mailbox's owner */
	struct window window;
	struct share share;
	uint64_t sequence, last_datagram; /* next hand-off; first in it */
	struct loan loan;
	struct handoff_list outbox; /* the next datagram */
	size_t outbox_count;
	struct unreceipted unreceipted;
	struct silence silence;
	struct event *writable;
	struct timer rest, check;
};

TAILQ_HEAD(worker_list, worker);

/* A worker for a connected mailbox (takes its descriptors).  NULL with
 * errno. */
struct worker *worker_new(struct worker_context *context, const char *name,
    struct mailbox *mailbox, const struct worker_callbacks *callbacks,
    void *owner);

/* Closes its receipt connections, except a link that nobody has yet. */
void worker_hang_up(struct worker *worker);

/* Frees the worker, and closes what it has. */
void worker_free(struct worker *worker);

/* True if hand-offs of that endpoint get receipts from this worker. */
int worker_is_receipted(
    const struct worker *worker, const struct record_endpoint *endpoint);

/* Its hand-offs without a receipt, including those of the next datagram. */
size_t worker_outstanding(const struct worker *worker);

/* True if the worker serves: it has not left, is not draining, and reads its
 * mailbox. */
int worker_is_present(const struct worker *worker);

/* True if it may get one more of that endpoint, without asking the kernel. */
int worker_may_take(
    const struct worker *worker, const struct record_endpoint *endpoint);

/* The same, but asks the kernel if that is necessary.  If there is no room,
 * on_room follows when there is. */
int worker_has_room(
    struct worker *worker, const struct record_endpoint *endpoint);

/* Adds a hand-off (takes it) to the next datagram.  True if that is complete
 * then. */
int worker_put(struct worker *worker, struct handoff *handoff);

/* Sends the next datagram.  0, or -1 with errno for errors_of_send() and all of
 * it still in the outbox. */
int worker_send(struct worker *worker);

/* Sends a bound socket (borrows the hand-off).  0, or -1 with errno. */
int worker_lend(struct worker *worker, struct handoff *handoff);

/* Calls on_room soon, but not before this returns. */
void worker_wake(struct worker *worker);

/* Notes flags of its mailbox for later engines; or none: forgets it, as another
 * mailbox may get the number of its inode. */
void worker_note(const struct worker *worker, unsigned int flags);

/* Treats the worker as full for delay_us; then on_room follows. */
void worker_rest(struct worker *worker, uint64_t delay_us);
