/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/ring.h"

#include <sys/queue.h>

#include <stddef.h>

struct receipt_ring;

/* All rings of an engine. */
struct receipt_ring_list {
	TAILQ_HEAD(, receipt_ring) head;
	size_t count;
	int watched; /* the engine reads them soon */
};

/* Memory shared with one worker, for receipts without a message. */
struct receipt_ring {
	TAILQ_ENTRY(receipt_ring) entry;
	struct receipt_ring_list *list;
	struct fdrecv_wire_ring *page; /* NULL: there is none */
	uint32_t read;                 /* receipts read so far */
	void (*on_news)(void *owner);  /* may close any ring */
	void *owner;
};

void receipt_ring_list_init(struct receipt_ring_list *list);

/* Tells all workers whether the engine reads their rings soon.  Before this
 * returns, on_news has been called for what was written while they were
 * watched. */
void receipt_ring_list_watch(struct receipt_ring_list *list, int watched);

/* Calls on_news of each ring that a worker wrote to. */
void receipt_ring_list_read(struct receipt_ring_list *list);

/* Answers HELLO on a receipt connection (borrows fd) with the engine's epoch,
 * and the memory of a ring (borrows; -1: none).  0, or -1 with errno. */
int receipt_ring_answer(int fd, uint64_t epoch, int memory);

/* The same, but offers a ring, of which on_news and owner are set.  If that
 * fails, it has no page, and the worker sends messages. */
void receipt_ring_offer(struct receipt_ring *ring,
    struct receipt_ring_list *list, int fd, uint64_t epoch);

/* Takes the next receipts, of hand-offs with consecutive numbers.  Returns how
 * many these are and the first number, or 0 if there are no more. */
uint32_t receipt_ring_take(struct receipt_ring *ring, uint64_t *out_sequence);

/* Unmaps the memory, if there is any. */
void receipt_ring_close(struct receipt_ring *ring);
