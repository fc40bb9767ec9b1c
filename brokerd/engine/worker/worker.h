/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_WORKER_H
#define ENGINE_WORKER_WORKER_H

#include "engine/core.h"
#include "engine/handoff/handoff.h"
#include "engine/mailbox/mailbox.h"
#include "engine/policy/share.h"
#include "engine/policy/window.h"
#include "engine/worker/worker_user.h"

#include "wire/link.h"

#include <sys/queue.h>

struct event;
struct receipt_conn;

/* One worker: a mailbox that is alive, and what is known of who reads it. */
struct worker {
	TAILQ_ENTRY(worker) entry;
	struct core *core;
	char name[RECORD_PATH_SIZE]; /* in its directory */
	struct mailbox mailbox;
	enum worker_kind kind;
	int full;             /* one of the events waits for room */
	int left;             /* takes no more; known as long as its name is */
	int nameless;         /* in its directory: not found any more */
	int paused, draining; /* by its own wish; by an administrator's */
	TAILQ_ENTRY(worker) queue;
	TAILQ_HEAD(, receipt_conn) links;
	uint64_t instance; /* of the process that said HELLO; 0: none did */
	int shared;        /* by more than one process: plain for good */
	int expected;      /* to say HELLO: it did so to an engine before */
	int survived;      /* by a child that may have its connection */
	int counted;       /* its connections are kept up to date */
	uint32_t connections;
	struct window window;
	struct share share;
	uint64_t sequence; /* of the next hand-off */
	size_t lent;       /* sockets of the pool that it has been sent */
	struct handoff_list outbox;      /* to be sent in one datagram */
	struct handoff_list unreceipted; /* oldest first */
	size_t outbox_count, unreceipted_count;
	uint64_t drained_us; /* since when nothing is in the mailbox, or 0 */
	uint64_t heard_us;   /* of its last receipt */
	unsigned int wary;   /* of that many, which may make a close wait */
	struct event *writable, *rested, *look; /* after lacking receipts */
	const struct worker_user *user;
	void *argument;
};

TAILQ_HEAD(worker_list, worker);

/* A worker for a connected mailbox, which is taken.  NULL with errno. */
struct worker *worker_new(struct core *core, const char *name,
    struct mailbox *mailbox, const struct worker_user *user, void *argument);

/* Frees the worker; what it holds and has links to is closed. */
void worker_free(struct worker *worker);

/* True if hand-offs of that endpoint get receipts from this worker. */
int worker_is_receipted(
    const struct worker *worker, const struct record_endpoint *endpoint);

/* True if nothing that is known here speaks against one more of that endpoint.
 */
int worker_may_take(
    const struct worker *worker, const struct record_endpoint *endpoint);

/* True if a hand-off of that endpoint can be put and sent now; asks the
 * kernel where that is not known.  If not, on_room will be called when it can.
 */
int worker_has_room(
    struct worker *worker, const struct record_endpoint *endpoint);

/* Adds a hand-off (takes it) to the next datagram. */
void worker_put(struct worker *worker, struct handoff *handoff);

/* Sends what was put, as one datagram.  0, or -1 with errno and all of it still
 * in the outbox; errors_of_send() tells what that means. */
int worker_send(struct worker *worker);

/* Sends a bound socket (borrows the hand-off).  0, or -1 with errno. */
int worker_lend(struct worker *worker, struct handoff *handoff);

/* on_room comes soon: not before the caller has done with worker. */
void worker_wake(struct worker *worker);

/* on_room comes after delay_us, whatever the kernel says of the mailbox. */
void worker_rest(struct worker *worker, unsigned int delay_us);

#endif
