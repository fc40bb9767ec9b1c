/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/mailbox/finder.h"
#include "engine/pool/borrower.h"
#include "engine/pool/turn.h"
#include "engine/worker/worker.h"

struct refusals;
struct rendezvous;

/* Workers of one pool.  More could use up the engine's descriptors, and those
 * that one user may have on their way through Unix sockets. */
#define POOL_WORKERS_MAX 256
#define POOL_REFUSED                                                    \
	"a pool has at most 256 workers, and one owner's workers have " \
	"a share of the engine's descriptors"

/* What pools use.  All of it is borrowed. */
struct pool_context {
	struct log *log;
	struct watch *watch;
	struct worker_context *workers;
	struct rendezvous *rendezvous;
	struct refusals *refusals;
};

/* One of the listeners that use a pool. */
struct pool_user {
	TAILQ_ENTRY(pool_user) entry, hearing_entry;
	/* Workers came or went, or one may have room again. */
	void (*on_change)(void *owner);
	/* Sockets are about to be lent, if lends; else a process that had them
	 * has ended.  True if they may be lent; or NULL. */
	int (*may_lend)(void *owner, int lends);
	void *owner;
	/* When a worker may have room; for a worker to come. */
	int hears, waiting;
};

/* The workers behind one mailbox path, and the hand-offs that wait for them. */
struct pool {
	TAILQ_ENTRY(pool) entry;
	const struct pool_context *context;
	struct finder finder;
	struct worker_list workers; /* the newest first */
	size_t count;
	struct turn turn;
	struct worker_list queue;       /* those with an outbox to be sent */
	struct handoff_list held, lent; /* lent: bound sockets, for every
					 * worker */
	struct borrower_list borrowers;
	TAILQ_HEAD(, pool_user) users, hearing;
	size_t hearing_count, waiting_count;
	int refused; /* a mailbox was not used, as there were too many */
	int starved; /* no worker had room: on_change when one may have */
	struct timer wake;
	uint64_t looked_us; /* whether its workers live */
	struct limited_log error_limit, death_limit, plain_limit, dead_limit;
};

TAILQ_HEAD(pool_list, pool);

/* Returns the pool of path in list; if there is none, adds one for mailboxes of
 * uid.  NULL with errno. */
struct pool *pool_find(struct pool_list *list,
    const struct pool_context *context, const char *path, uint32_t uid);

/* Frees the workers and hand-offs of a pool, before the endpoints to which the
 * hand-offs refer are freed. */
void pool_clear(struct pool *pool);

/* Frees the pool and all that is in it. */
void pool_free(struct pool *pool);

/* Adds a user, with on_change and owner set. */
void pool_add_user(struct pool *pool, struct pool_user *user);

void pool_remove_user(struct pool *pool, struct pool_user *user);

/* Sets whether that user waits for a worker to have room, or for one to come.
 * One that does neither is told only when there is no worker. */
void pool_set_waiting(
    struct pool *pool, struct pool_user *user, int for_room, int for_worker);

/* Gives the worker of that name no more hand-offs, in later engines too; it
 * keeps those that it has.  0, or -1 with ENOENT, or ENOSPC if no more workers
 * can be drained. */
int pool_drain(struct pool *pool, const char *name);

/* Drains the workers that an earlier engine was told to drain. */
void pool_follow(struct pool *pool);

/* Returns how many workers may be given connections, with room or without. */
size_t pool_count_workers(const struct pool *pool);

int pool_has_worker(const struct pool *pool);

/* True if the engine has a connection, or a worker has one and has not
 * confirmed it. */
int pool_is_busy(const struct pool *pool);

/* Stops waiting for receipts: closes the connections that lack one. */
void pool_release(struct pool *pool);

/* The worker that the HELLO of a process with that uid names, or NULL. */
struct worker *pool_find_worker(
    const struct pool *pool, const struct hello *hello, uid_t uid);
