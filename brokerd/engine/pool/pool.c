/* SPDX-License-Identifier: ISC */
/*
 * The workers of a mailbox path: which there are, whose turn it is, what to
 * do when one is gone.  Engine, unprivileged.
 */
#include "engine/pool/pool.h"

#include "engine/core.h"
#include "engine/handoff/limited_log.h"
#include "engine/pool/route.h"
#include "engine/worker/rendezvous.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

static void
pool_notify(struct pool *pool)
{
	struct pool_user *user = TAILQ_FIRST(&pool->users);

	pool->starved = 0;
	if (user == NULL)
		return;
	TAILQ_REMOVE(&pool->users, user, entry);
	TAILQ_INSERT_TAIL(&pool->users, user, entry);
	TAILQ_FOREACH (user, &pool->users, entry)
		user->on_change(user);
}

/* What must not be done in the middle of a send: a scan sends as well. */
static void
pool_on_wake(evutil_socket_t fd, short what, void *argument)
{
	struct pool *pool = argument;

	(void)fd;
	(void)what;
	finder_scan(&pool->finder);
	route_send(pool);
	pool_notify(pool);
}

void
pool_wake(struct pool *pool)
{
	static const struct timeval now = {0, 0};

	event_add(pool->wake, &now);
}

static void
pool_free_worker(struct pool *pool, struct worker *worker)
{
	route_take_back(pool, worker);
	pool->count--;
	TAILQ_REMOVE(
	    worker->unlinked ? &pool->leaving : &pool->workers, worker, entry);
	worker_free(worker);
}

static int
pool_is_done_with(const struct worker *worker)
{
	return worker->conns.count == 0 && worker->unreceipted.count == 0;
}

/* Its inode's number may be another mailbox's from now on. */
static void
pool_forget(struct pool *pool, const struct worker *worker)
{
	stats_note_kind(&pool->core->stats, worker->mailbox.device,
	    worker->mailbox.inode, STATS_UNKNOWN);
}

/* Its name is gone, or names another one. */
static void
pool_drop(struct pool *pool, struct worker *worker)
{
	pool_forget(pool, worker);
	worker->left = 1;
	if (pool_is_done_with(worker)) {
		pool_free_worker(pool, worker);
		return;
	}
	route_take_back(pool, worker);
	worker->unlinked = 1;
	TAILQ_REMOVE(&pool->workers, worker, entry);
	TAILQ_INSERT_TAIL(&pool->leaving, worker, entry);
}

void
pool_bury(struct pool *pool, struct worker *worker)
{
	struct receipt_conn *conn;

	while ((conn = TAILQ_FIRST(&worker->conns.head)) != NULL)
		receipt_conn_free(conn);
	worker->left = 1;
	/* A child may have the mailbox still, and never read it: as long as
	 * the name is there, remember that. */
	if (!worker->unlinked && mailbox_is_alive(&worker->mailbox)) {
		route_take_back(pool, worker);
		return;
	}
	pool_forget(pool, worker);
	pool_free_worker(pool, worker);
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

static void
pool_on_room(void *owner, struct worker *worker)
{
	struct pool *pool = owner;

	if (worker->unlinked) {
		if (pool_is_done_with(worker))
			pool_free_worker(pool, worker);
		return;
	}
	if (!worker->left && !worker->full && !worker->draining)
		route_lend(pool, worker);
	route_send(pool);
	if (pool->starved)
		pool_notify(pool);
}

static void
pool_on_return(void *owner, struct handoff *handoff)
{
	route_return(owner, handoff);
}

static void
pool_on_death(void *owner, struct worker *worker)
{
	struct pool *pool = owner;

	if (worker->kind == WORKER_NEW) {
		rendezvous_catch_up(pool->core->rendezvous);
		if (worker->kind != WORKER_NEW)
			return; /* its connection will tell its end */
	}
	route_bury(pool, worker);
	pool_wake(pool);
}

static const struct worker_callbacks pool_worker_callbacks = {
    .on_room = pool_on_room,
    .on_return = pool_on_return,
    .on_death = pool_on_death};

static uint64_t
pool_least_pass(const struct pool *pool)
{
	const struct worker *worker;
	uint64_t least = UINT64_MAX;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker->share.pass < least)
			least = worker->share.pass;
	return least == UINT64_MAX ? 0 : least;
}

static void
pool_refuse(struct pool *pool, const char *name)
{
	limited_log_line(&pool->fault_limit, &pool->core->log, LOG_WARNING,
	    "mailbox %s%s: not used: %d workers are the most",
	    pool->finder.directory, name, POOL_WORKERS_MAX);
}

static void
pool_on_found(void *argument, const char *name, struct mailbox *mailbox)
{
	struct pool *pool = argument;
	struct worker *worker;

	worker = pool_worker(pool, name);
	if (worker != NULL)
		pool_drop(pool, worker); /* a new inode is a new worker */
	if (pool->count >= POOL_WORKERS_MAX) {
		pool_refuse(pool, name);
		mailbox_close(mailbox);
		return;
	}
	worker = worker_new(
	    &pool->core->workers, name, mailbox, &pool_worker_callbacks, pool);
	if (worker == NULL) {
		limited_log_line(&pool->fault_limit, &pool->core->log, LOG_ERR,
		    "mailbox %s%s: %s", pool->finder.directory, name,
		    strerror(errno));
		mailbox_close(mailbox);
		return;
	}
	share_init(&worker->share, FDRECV_WIRE_WEIGHT, pool_least_pass(pool));
	TAILQ_INSERT_HEAD(&pool->workers, worker, entry);
	pool->count++;
	rendezvous_on_worker(pool->core->rendezvous, worker);
	pool->starved = 1;
	pool_on_room(pool, worker);
}

static const struct finder_callbacks pool_finder_callbacks = {
    pool_knows, pool_on_found, pool_on_gone};

struct pool *
pool_find(struct pool_list *list, struct core *core, struct watch *watch,
    const char *path, uint32_t owner)
{
	struct mailbox_context context = {core->base, &core->log, watch};
	struct pool *pool;

	TAILQ_FOREACH (pool, list, entry)
		if (strcmp(pool->finder.path, path) == 0)
			return pool;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	pool->core = core;
	TAILQ_INIT(&pool->workers);
	TAILQ_INIT(&pool->leaving);
	TAILQ_INIT(&pool->queue);
	TAILQ_INIT(&pool->held);
	TAILQ_INIT(&pool->lent);
	TAILQ_INIT(&pool->users);
	pool->wake = evtimer_new(core->base, pool_on_wake, pool);
	if (pool->wake == NULL ||
	    finder_init(&pool->finder, &context, path, owner,
		&pool_finder_callbacks, pool) == -1) {
		if (pool->wake != NULL)
			event_free(pool->wake);
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
pool_clear(struct pool *pool)
{
	struct worker *worker;

	while ((worker = TAILQ_FIRST(&pool->workers)) != NULL ||
	    (worker = TAILQ_FIRST(&pool->leaving)) != NULL)
		pool_free_worker(pool, worker);
	pool_free_list(&pool->held);
	pool_free_list(&pool->lent);
}

void
pool_free(struct pool *pool)
{
	finder_done(&pool->finder);
	pool_clear(pool);
	event_free(pool->wake);
	free(pool);
}
