/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/timer.h"

#include "wire/ring.h"

#include <sys/queue.h>

#include <stddef.h>

struct receipt_ring;

/* All rings of an engine. */
struct receipt_ring_list {
	TAILQ_HEAD(, receipt_ring) head;
	TAILQ_HEAD(, receipt_ring)
	expecting;          /* those of workers with hand-offs
			     * that lack a receipt */
	size_t count;       /* of these */
	int watched;        /* the engine reads them soon */
	uint64_t looked_us; /* the last time */
	struct timer timer; /* if it does not, but one of them is lazy */
};

/* Memory shared with one worker, for receipts without a message. */
struct receipt_ring {
	TAILQ_ENTRY(receipt_ring) entry, expecting_entry;
	struct receipt_ring_list *list;
	struct fdrecv_wire_ring *page; /* NULL: there is none */
	uint32_t read;                 /* receipts read so far */
	int is_expecting;
	int rests;          /* it is not looked at, though it may be expected */
	int is_lazy;        /* receipts that can wait come without a message */
	unsigned int looks; /* of the timer, since the last receipt */
	void (*on_news)(void *owner); /* may close any ring */
	void *owner;
};

/* 0, or -1 with ENOMEM. */
int receipt_ring_list_init(
    struct receipt_ring_list *list, struct event_base *base);

/* After all rings were closed. */
void receipt_ring_list_done(struct receipt_ring_list *list);

/* Tells all workers whether the engine reads their rings soon.  Before this
 * returns, on_news has been called for what was written while they were
 * watched. */
void receipt_ring_list_watch(
    struct receipt_ring_list *list, int watched, uint64_t now_us);

/* Calls on_news of each ring that a worker wrote to which owes receipts. now_us
 * is the time, or was a moment ago. */
void receipt_ring_list_look(struct receipt_ring_list *list, uint64_t now_us);

/* Answers HELLO on a receipt connection (borrows fd) with the engine's epoch,
 * and the memory of a ring (borrows; -1: none).  0, or -1 with errno. */
int receipt_ring_answer(int fd, uint64_t epoch, int memory);

/* The same, but offers a ring, of which on_news and owner are set.  If that
 * fails, it has no page, and the worker sends messages. */
void receipt_ring_offer(struct receipt_ring *ring,
    struct receipt_ring_list *list, int fd, uint64_t epoch);

/* The worker owes a receipt, or none any more.  While one does whose ring is
 * lazy, a timer looks at the rings; where it finds nothing twice, that worker
 * is asked for messages. */
void receipt_ring_expect(struct receipt_ring *ring);
void receipt_ring_expect_none(struct receipt_ring *ring);

/* Does not look at a ring, in which the worker has written nonsense, until the
 * rest ends. */
void receipt_ring_rest(struct receipt_ring *ring);
void receipt_ring_end_rest(struct receipt_ring *ring);

/* The worker is quick: from now on it need not send a message with a receipt
 * that can wait. */
void receipt_ring_be_lazy(struct receipt_ring *ring);

/* The worker has to send a message with each receipt, unless the ring is
 * watched.  What is written without one can be read when this returns. */
void receipt_ring_ask(struct receipt_ring *ring);

/* Takes the next receipts, of hand-offs with consecutive numbers.  Returns how
 * many these are and the first number, or 0 if there are no more. */
uint32_t receipt_ring_take(struct receipt_ring *ring, uint64_t *out_sequence);

/* Unmaps the memory, if there is any. */
void receipt_ring_close(struct receipt_ring *ring);
