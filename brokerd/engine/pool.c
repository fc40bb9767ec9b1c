/* SPDX-License-Identifier: ISC */
/*
 * The workers of a mailbox path: which there are, whose turn it is, what to
 * do when one is gone.  Engine, unprivileged.
 */
#include "engine/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POOL_RETRY_US 10000   /* before a passing fault is tried again */
#define POOL_FAULT_US 1000000 /* before a standing one is */

static void
pool_notify(struct pool *pool)
{
	struct pool_user *user = TAILQ_FIRST(&pool->users);

	if (user == NULL)
		return;
	TAILQ_REMOVE(&pool->users, user, entry);
	TAILQ_INSERT_TAIL(&pool->users, user, entry);
	TAILQ_FOREACH (user, &pool->users, entry)
		user->on_change(user);
}

static void
pool_drop(struct pool *pool, struct worker *worker)
{
	TAILQ_REMOVE(&pool->workers, worker, entry);
	worker_free(worker);
}

/* What a failed send means; worker may be gone afterwards. */
static void
pool_on_failure(struct pool *pool, struct worker *worker,
    struct stats_listener *stats, int error)
{
	unsigned long long suppressed;

	switch (verdict_of_send(error)) {
	case VERDICT_FULL: /* worker_send() has seen to it */
		stats->worker_full++;
		return;
	case VERDICT_AWAY:
		stats->worker_away++;
		pool_drop(pool, worker);
		return;
	case VERDICT_LEAVING:
		stats->worker_leaving++;
		worker->left = 1;
		return;
	case VERDICT_RETRY:
		stats->send_retried++;
		worker_rest(worker, POOL_RETRY_US);
		return;
	case VERDICT_FAULT:
	case VERDICT_BUG:
		break;
	}
	stats->send_failed++;
	worker_rest(worker, POOL_FAULT_US);
	if (limit_allows(&pool->fault_limit, &suppressed))
		log_line(&pool->core->log, LOG_ERR,
		    "mailbox %s: worker %s: "
		    "cannot send: %s: trying others, and this one again in 1 s "
		    "(%llu more since the last line)",
		    pool->finder.path, worker->name, strerror(error),
		    suppressed);
}

/* Lends worker, which may be gone afterwards, the sockets that it has not got
 * yet. */
static void
pool_lend(struct pool *pool, struct worker *worker)
{
	struct handoff *handoff;
	size_t i = 0;

	TAILQ_FOREACH (handoff, &pool->lent, entry) {
		if (i++ < worker->lent)
			continue;
		if (worker_send(worker, handoff) == -1) {
			pool_on_failure(pool, worker, handoff->stats, errno);
			return;
		}
		worker->lent++;
		handoff->stats->lent++;
	}
}

static struct worker *
pool_worker(struct pool *pool, const char *name)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (strcmp(worker->name, name) == 0)
			return worker;
	return NULL;
}

static int
pool_knows(void *argument, const char *name, const struct mailbox *mailbox)
{
	const struct worker *worker = pool_worker(argument, name);

	return worker != NULL && worker->mailbox.device == mailbox->device &&
	    worker->mailbox.inode == mailbox->inode;
}

static void
pool_on_gone(void *argument, const char *name)
{
	struct pool *pool = argument;
	struct worker *worker = pool_worker(pool, name);

	if (worker == NULL)
		return;
	pool_drop(pool, worker);
	pool_notify(pool);
}

struct worker *
pool_pick(struct pool *pool)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry) {
		if (!worker_has_room(worker))
			continue;
		TAILQ_REMOVE(&pool->workers, worker, entry);
		TAILQ_INSERT_TAIL(&pool->workers, worker, entry);
		return worker;
	}
	return NULL;
}

static void
pool_flush(struct pool *pool)
{
	struct handoff *handoff;
	struct worker *worker;

	while ((handoff = TAILQ_FIRST(&pool->held)) != NULL &&
	    (worker = pool_pick(pool)) != NULL) {
		TAILQ_REMOVE(&pool->held, handoff, entry);
		handoff->stats->held--;
		pool_give(pool, worker, handoff);
	}
}

static void
pool_on_room(struct worker *worker, void *argument)
{
	struct pool *pool = argument;

	pool_lend(pool, worker);
	pool_flush(pool);
	pool_notify(pool);
}

static void
pool_on_found(void *argument, const char *name, struct mailbox *mailbox)
{
	struct pool *pool = argument;
	struct worker *worker;

	worker = pool_worker(pool, name);
	if (worker != NULL)
		pool_drop(pool, worker); /* a new inode is a new worker */
	worker = worker_new(pool->core, name, mailbox, pool_on_room, pool);
	if (worker == NULL) {
		log_line(&pool->core->log, LOG_ERR, "mailbox %s%s: %s",
		    pool->finder.directory, name, strerror(errno));
		mailbox_close(mailbox);
		return;
	}
	TAILQ_INSERT_HEAD(&pool->workers, worker, entry);
	pool_on_room(worker, pool);
}

struct pool *
pool_find(struct pool_list *list, struct core *core, struct watch *watch,
    const char *path, uint32_t owner)
{
	struct finder_user user = {.knows = pool_knows,
	    .on_found = pool_on_found,
	    .on_gone = pool_on_gone};
	struct pool *pool;

	TAILQ_FOREACH (pool, list, entry)
		if (strcmp(pool->finder.path, path) == 0)
			return pool;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	user.argument = pool;
	pool->core = core;
	TAILQ_INIT(&pool->workers);
	TAILQ_INIT(&pool->held);
	TAILQ_INIT(&pool->lent);
	TAILQ_INIT(&pool->users);
	if (finder_init(&pool->finder, core, watch, path, owner, &user) == -1) {
		finder_done(&pool->finder);
		free(pool);
		return NULL;
	}
	TAILQ_INSERT_TAIL(list, pool, entry);
	return pool;
}

static void
pool_free_list(struct handoff_list *list)
{
	struct handoff *handoff;

	while ((handoff = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, handoff, entry);
		handoff_free(handoff);
	}
}

void
pool_free(struct pool *pool)
{
	struct worker *worker;

	finder_done(&pool->finder);
	while ((worker = TAILQ_FIRST(&pool->workers)) != NULL)
		pool_drop(pool, worker);
	pool_free_list(&pool->held);
	pool_free_list(&pool->lent);
	free(pool);
}

void
pool_add_user(struct pool *pool, struct pool_user *user)
{
	TAILQ_INSERT_TAIL(&pool->users, user, entry);
}

void
pool_add_lent(struct pool *pool, struct handoff *handoff)
{
	TAILQ_INSERT_TAIL(&pool->lent, handoff, entry);
	pool->finder.wanted = 1; /* what waits is the socket itself */
}

int
pool_has_worker(const struct pool *pool)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (!worker->left)
			return 1;
	return 0;
}

void
pool_give(struct pool *pool, struct worker *worker, struct handoff *handoff)
{
	for (; worker != NULL; worker = pool_pick(pool)) {
		if (worker_send(worker, handoff) == 0) {
			handoff->stats->handed_off++;
			handoff_free(handoff);
			return;
		}
		pool_on_failure(pool, worker, handoff->stats, errno);
		if (!pool_has_worker(pool))
			finder_scan(&pool->finder);
	}
	handoff->stats->held++;
	TAILQ_INSERT_TAIL(&pool->held, handoff, entry);
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
	int wanted = !TAILQ_EMPTY(&pool->lent);

	user->waits = waits;
	TAILQ_FOREACH (user, &pool->users, entry)
		wanted |= user->waits;
	if (wanted != pool->finder.wanted)
		finder_set_wanted(&pool->finder, wanted);
}
