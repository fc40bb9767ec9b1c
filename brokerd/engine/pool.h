/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POOL_H
#define ENGINE_POOL_H

#include "engine/finder.h"
#include "engine/limit.h"
#include "engine/worker.h"

/* Who wants to hear of a pool: a listener. */
struct pool_user {
	TAILQ_ENTRY(pool_user) entry;
	/* Workers came or went, or have room again. */
	void (*on_change)(struct pool_user *user);
	int waits; /* a connection waits for a worker to come */
};

TAILQ_HEAD(pool_users, pool_user);

/* The workers behind one mailbox path, and what waits for them. */
struct pool {
	TAILQ_ENTRY(pool) entry;
	struct core *core;
	struct finder finder;
	struct worker_list workers; /* next in turn first */
	struct handoff_list held;   /* accepted, and no worker had room */
	struct handoff_list lent;   /* bound sockets, for every worker */
	struct pool_users users;    /* likewise */
	struct limit fault_limit;
};

TAILQ_HEAD(pool_list, pool);

/* The pool of path in list, a new one if there is none.  NULL with errno. */
struct pool *pool_find(struct pool_list *list, struct core *core,
    struct watch *watch, const char *path, uint32_t owner);

/* Frees the pool, its workers and what it holds. */
void pool_free(struct pool *pool);

/* user hears of changes from now on. */
void pool_add_user(struct pool *pool, struct pool_user *user);

/* Adds a socket (takes the hand-off) that every worker is lent. */
void pool_add_lent(struct pool *pool, struct handoff *handoff);

/* The worker whose turn it is, or NULL when none has room now. */
struct worker *pool_pick(struct pool *pool);

/* True if there is a worker at all, with room or without. */
int pool_has_worker(const struct pool *pool);

/* Gives a hand-off (takes it) to worker, to another one if that fails, or
 * holds it until one has room. */
void pool_give(
    struct pool *pool, struct worker *worker, struct handoff *handoff);

/* Gives the oldest hand-off of endpoint's listener that is held, or NULL. */
struct handoff *pool_take_held(
    struct pool *pool, const struct stats_listener *listener);

/* user has begun or ceased to wait for a worker to come. */
void pool_set_waits(struct pool *pool, struct pool_user *user, int waits);

#endif
