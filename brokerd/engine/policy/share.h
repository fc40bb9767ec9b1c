/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A worker's share of the connections of its pool. */
struct share {
	uint32_t weight;
	uint64_t pass; /* sum of 1/weight over the hand-offs it was given */
	void *owner;   /* the worker */
	/* As its pool has seen it last: its weight, and whether it was late. */
	uint32_t seen_weight;
	int seen_late;
	/* Its place in a heap: the last turn that it had, among equal ranks. */
	uint64_t rank, turn;
	int is_queued;
	struct share *child, *next, *before; /* before: or its parent */
};

/* Shares of which the one with the least rank, or among these the one whose
 * last turn is the oldest, is next: a pairing heap.  All zeros is empty. */
struct share_heap {
	struct share *next;
};

/* Starts at base, the least pass in the pool, so that a new worker does not
 * get all that it missed. */
void share_init(struct share *share, uint32_t weight, uint64_t base);

/* Counts one hand-off. */
void share_take(struct share *share);

/* Returns its rank, the least of which is next: the pass if weights differ,
 * otherwise the number of outstanding hand-offs. */
uint64_t share_rank(const struct share *share, size_t outstanding, int differ);

/* Adds a share that is not queued. */
void share_heap_add(
    struct share_heap *heap, struct share *share, uint64_t rank);

/* Removes a share that is queued. */
void share_heap_remove(struct share_heap *heap, struct share *share);
