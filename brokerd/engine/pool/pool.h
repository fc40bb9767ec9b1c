/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POOL_POOL_H
#define ENGINE_POOL_POOL_H

#include "engine/mailbox/finder.h"
#include "engine/policy/log_ratelimit.h"
#include "engine/worker/hello.h"
#include "engine/worker/worker.h"

/* Of one pool: so that its owner cannot take all of the engine's descriptors,
 * nor all that one user may have on their way through Unix sockets. */
#define POOL_WORKERS_MAX 256

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
	struct worker_list leaving; /* unlinked, until all is confirmed */
	struct worker_list queue;   /* those with something to be sent */
	struct handoff_list held;   /* accepted, and no worker had room */
	struct handoff_list lent;   /* bound sockets, for every worker */
	struct pool_users users;    /* next in turn first */
	size_t count;               /* of both */
	int starved; /* no worker had room: users want to hear of it */
	struct event *wake;
	struct log_ratelimit fault_limit;
	struct log_ratelimit death_limit;
};

TAILQ_HEAD(pool_list, pool);

/* The pool of path in list, a new one if there is none.  NULL with errno. */
struct pool *pool_find(struct pool_list *list, struct core *core,
    struct watch *watch, const char *path, uint32_t owner);

/* Frees the workers and hand-offs of a pool, before their endpoints are. */
void pool_clear(struct pool *pool);

/* Frees the pool, its workers and what it holds. */
void pool_free(struct pool *pool);

/* user hears of changes from now on. */
void pool_add_user(struct pool *pool, struct pool_user *user);

/* user hears no more of them. */
void pool_drop_user(struct pool *pool, struct pool_user *user);

/* That listener lends nothing any more: its sockets are about to be closed. */
void pool_drop_lent(struct pool *pool, const struct stats_listener *listener);

/* Soon: looks for workers, sends what is held, and tells the users. */
void pool_wake(struct pool *pool);

/* True if a connection of that listener is held. */
int pool_holds(const struct pool *pool, const struct stats_listener *listener);

/* Waits for no receipts any more: protection ends, not the connections. */
void pool_release(struct pool *pool);

/* Adds a socket (takes the hand-off) that every worker is lent. */
void pool_add_lent(struct pool *pool, struct handoff *handoff);

/* The worker of that name gets no more, from engines to come neither; what it
 * has it keeps.  0, or -1 with ENOENT. */
int pool_drain(struct pool *pool, const char *name);

/* True if there is a worker at all, with room or without. */
int pool_has_worker(const struct pool *pool);

/* How many there are. */
size_t pool_count_workers(const struct pool *pool);

/* True if a connection is in the engine's hands, or in those of a worker that
 * has not confirmed it. */
int pool_is_busy(const struct pool *pool);

/* The worker that a HELLO from that uid speaks of, or NULL. */
struct worker *pool_find_worker(
    struct pool *pool, const struct hello *hello, uid_t uid);

/* A worker whose process has died, and that has nothing any more: frees it, or
 * remembers that its mailbox is not to be used. */
void pool_bury(struct pool *pool, struct worker *worker);

/* Gives the oldest hand-off of that listener that is held, or NULL. */
struct handoff *pool_take_held(
    struct pool *pool, const struct stats_listener *listener);

/* user has begun or ceased to wait for a worker to come. */
void pool_set_waits(struct pool *pool, struct pool_user *user, int waits);

#endif
