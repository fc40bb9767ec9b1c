/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POOL_WORKER_SET_H
#define ENGINE_POOL_WORKER_SET_H

#include "engine/worker/worker.h"

/* The workers of a pool. */
struct worker_set {
	struct worker_list list;    /* next in turn first */
	struct worker_list leaving; /* unlinked, and not all is confirmed */
	size_t count;               /* of both */
};

void worker_set_init(struct worker_set *set);

/* Adds a worker, whose share begins with the least that one of them has. */
void worker_set_add(struct worker_set *set, struct worker *worker);

/* The name of a worker's mailbox is gone: it is leaving. */
void worker_set_unlink(struct worker_set *set, struct worker *worker);

void worker_set_remove(struct worker_set *set, struct worker *worker);

/* The worker of that name, or NULL; those that are leaving have none. */
struct worker *worker_set_find(const struct worker_set *set, const char *name);

/* The worker of which a HELLO from that uid speaks, or NULL. */
struct worker *worker_set_find_hello(
    const struct worker_set *set, const struct hello *hello, uid_t uid);

/* Returns how many may be given connections, with room or without. */
size_t worker_set_count_active(const struct worker_set *set);

/* True if a connection lacks a receipt. */
int worker_set_is_busy(const struct worker_set *set);

/* Waits for no receipts any more: closes what lacks one. */
void worker_set_release(struct worker_set *set);

#endif
