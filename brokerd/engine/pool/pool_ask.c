/* SPDX-License-Identifier: ISC */
/*
 * What listeners and the engine ask of a pool, and tell it.  Engine,
 * unprivileged.
 */
#include "engine/pool/pool.h"

#include "engine/core.h"
#include <errno.h>
#include <string.h>

void
pool_add_user(struct pool *pool, struct pool_user *user)
{
	TAILQ_INSERT_TAIL(&pool->users, user, entry);
}

void
pool_add_lent(struct pool *pool, struct handoff *handoff)
{
	TAILQ_INSERT_TAIL(&pool->lent, handoff, entry);
	pool->finder.waiting = 1; /* what waits is the socket itself */
}

void
pool_drop_user(struct pool *pool, struct pool_user *user)
{
	TAILQ_REMOVE(&pool->users, user, entry);
}

void
pool_drop_lent(struct pool *pool, const struct stats_listener *listener)
{
	struct handoff *handoff, *next;

	for (handoff = TAILQ_FIRST(&pool->lent); handoff != NULL;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		if (handoff->stats != listener)
			continue;
		TAILQ_REMOVE(&pool->lent, handoff, entry);
		handoff_free(handoff);
	}
}

int
pool_holds(const struct pool *pool, const struct stats_listener *listener)
{
	const struct handoff *handoff;

	TAILQ_FOREACH (handoff, &pool->held, entry)
		if (handoff->stats == listener)
			return 1;
	return 0;
}

int
pool_has_worker(const struct pool *pool)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (!worker->left && !worker->draining)
			return 1;
	return 0;
}

size_t
pool_count_workers(const struct pool *pool)
{
	const struct worker *worker;
	size_t count = 0;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		count += !worker->left && !worker->draining;
	return count;
}

int
pool_drain(struct pool *pool, const char *name)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (strcmp(worker->name, name) == 0)
			break;
	if (worker == NULL) {
		errno = ENOENT;
		return -1;
	}
	stats_set_draining(
	    &pool->core->stats, worker->mailbox.device, worker->mailbox.inode);
	worker->draining = 1;
	pool_wake(pool);
	return 0;
}

void
pool_release(struct pool *pool)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		unreceipted_release(&worker->unreceipted);
	TAILQ_FOREACH (worker, &pool->leaving, entry)
		unreceipted_release(&worker->unreceipted);
}

int
pool_is_busy(const struct pool *pool)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker->unreceipted.count > 0)
			return 1;
	TAILQ_FOREACH (worker, &pool->leaving, entry)
		if (worker->unreceipted.count > 0)
			return 1;
	return !TAILQ_EMPTY(&pool->held);
}

static struct worker *
pool_find_in(struct worker_list *list, const struct hello *hello, uid_t uid)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, list, entry)
		if (worker->mailbox.inode == hello->inode &&
		    worker->mailbox.device == hello->device &&
		    worker->mailbox.owner == uid &&
		    strcmp(worker->name, hello->name) == 0)
			return worker;
	return NULL;
}

struct worker *
pool_find_worker(struct pool *pool, const struct hello *hello, uid_t uid)
{
	struct worker *worker = pool_find_in(&pool->workers, hello, uid);

	return worker != NULL ? worker :
				pool_find_in(&pool->leaving, hello, uid);
}

struct handoff *
pool_take_held(struct pool *pool, const struct stats_listener *listener)
{
	struct handoff *handoff;

	TAILQ_FOREACH (handoff, &pool->held, entry) {
		if (handoff->stats != listener)
			continue;
		TAILQ_REMOVE(&pool->held, handoff, entry);
		handoff->stats->held--;
		return handoff;
	}
	return NULL;
}

void
pool_set_waits(struct pool *pool, struct pool_user *user, int waits)
{
	int waiting = !TAILQ_EMPTY(&pool->lent);

	user->waits = waits;
	TAILQ_FOREACH (user, &pool->users, entry)
		waiting |= user->waits;
	if (waiting != pool->finder.waiting)
		finder_set_waiting(&pool->finder, waiting);
}
