/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include "engine/core.h"
#include "engine/handoff.h"
#include "engine/mailbox.h"
#include "engine/verdict.h"

#include <sys/queue.h>

struct event;

/* One worker: a mailbox that is alive, and what is known of who reads it. */
struct worker {
	TAILQ_ENTRY(worker) entry;
	struct core *core;
	char name[RECORD_PATH_SIZE]; /* in its directory */
	struct mailbox mailbox;
	uint64_t sequence; /* of the next hand-off */
	size_t lent;       /* sockets of the pool that it has been sent */
	int full;          /* one of the events waits for room */
	int left;          /* takes no more; known as long as its name is */
	struct event *writable;
	struct event *rested;
	void (*on_room)(struct worker *worker, void *argument);
	void *argument;
};

TAILQ_HEAD(worker_list, worker);

/* A worker for a connected mailbox, which is taken.  on_room is called when a
 * full worker can be written to again.  NULL with errno on failure. */
struct worker *worker_new(struct core *core, const char *name,
    struct mailbox *mailbox, void (*on_room)(struct worker *, void *),
    void *argument);

void worker_free(struct worker *worker);

/* True if a hand-off can be sent now; asks the kernel.  If not, on_room will
 * be called when it can. */
int worker_has_room(struct worker *worker);

/* Sends one hand-off (borrows it).  0, or -1 with errno; verdict_of_send()
 * tells what that means. */
int worker_send(struct worker *worker, struct handoff *handoff);

/* on_room comes after delay_us, whatever the kernel says of the mailbox. */
void worker_rest(struct worker *worker, unsigned int delay_us);

#endif
