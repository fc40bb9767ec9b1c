/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/worker.h"

/* Which worker of a pool is next.  All zeros has no workers. */
struct turn {
	struct share_heap heap; /* those that may have room */
	uint64_t last;          /* number of the last turn */
	int differ;             /* the weights do */
	size_t aside;           /* workers that are not in the heap */
	size_t late;            /* of these, had a silence when put aside */
	/* What the endpoint of the last pick allowed. */
	uint32_t window, max_connections;
	uint32_t protocol;
};

struct pool;

/* A worker came to the pool. */
void turn_add(struct pool *pool, struct worker *worker);

/* A worker leaves the pool. */
void turn_remove(struct pool *pool, struct worker *worker);

/* A worker may have room, or has another number of hand-offs that lack a
 * receipt, or another weight. */
void turn_update(struct pool *pool, struct worker *worker);

/* Any worker may have room: brings back those that were put aside. */
void turn_reconsider(struct pool *pool);

/* The worker was given a hand-off: others are next. */
void turn_take(struct pool *pool, struct worker *worker);

/* Returns the worker that is next, of those that may take one of that endpoint
 * without asking the kernel, or NULL.  A worker that is late is next only if no
 * worker answers: whoever waits in the kernel is served sooner by one that
 * does. */
struct worker *turn_next(
    struct pool *pool, const struct record_endpoint *endpoint);
