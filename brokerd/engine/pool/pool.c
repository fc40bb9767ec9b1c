/* SPDX-License-Identifier: ISC */
/*
 * The workers of a mailbox path, and the listeners that are told of changes.
 * Engine, unprivileged.
 */
#include "engine/pool/pool.h"

#include "engine/handoff/limited_log.h"
#include "engine/handoff/persistent.h"
#include "engine/pool/dispatch.h"
#include "engine/pool/vitals.h"
#include "engine/worker/receipts.h"
#include "engine/worker/rendezvous.h"
#include "engine/worker/worker_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Each user in turn is told first.  What is told may make others hear of room,
 * or not. */
static void
pool_notify_of_room(struct pool *pool)
{
	struct pool_user *user;

	for (size_t left = pool->hearing_count; left > 0; left--) {
		if ((user = TAILQ_FIRST(&pool->hearing)) == NULL)
			return;
		TAILQ_REMOVE(&pool->hearing, user, hearing_entry);
		TAILQ_INSERT_TAIL(&pool->hearing, user, hearing_entry);
		user->on_change(user->owner);
	}
}

static void
pool_notify(struct pool *pool)
{
	struct pool_user *user = TAILQ_FIRST(&pool->users);

	pool->starved = 0;
	if (pool_has_worker(pool)) {
		pool_notify_of_room(pool);
		return;
	}
	if (user == NULL)
		return;
	TAILQ_REMOVE(&pool->users, user, entry);
	TAILQ_INSERT_TAIL(&pool->users, user, entry);
	TAILQ_FOREACH (user, &pool->users, entry)
		user->on_change(user->owner);
}

/* A scan sends, so it must not happen in the middle of a send. */
static void
pool_on_wake(void *owner)
{
	struct pool *pool = owner;

	finder_scan(&pool->finder);
	dispatch_send(pool);
	pool_notify(pool);
}

static int
pool_has_finished(const struct worker *worker)
{
	return worker->conns.count == 0 && worker->unreceipted.count == 0;
}

/* The name of its mailbox is gone, or belongs to another mailbox. */
static void
pool_unlink(struct pool *pool, struct worker *worker)
{
	worker_note(worker, 0);
	worker->has_left = worker->unlinked = 1;
	if (pool_has_finished(worker))
		dispatch_free_worker(pool, worker);
	else
		dispatch_take_back(pool, worker);
}

static int
pool_knows(void *owner, const char *name, const struct mailbox *mailbox)
{
	const struct pool *pool = owner;
	const struct worker *worker = worker_list_find(&pool->workers, name);

	return worker != NULL && worker->mailbox.device == mailbox->device &&
	    worker->mailbox.inode == mailbox->inode;
}

static const char *
pool_known(void *owner, unsigned int number)
{
	const struct pool *pool = owner;

	return worker_list_name(&pool->workers, number);
}

static void
pool_on_gone(void *owner, const char *name)
{
	struct pool *pool = owner;
	struct worker *worker = worker_list_find(&pool->workers, name);

	/* The HELLO of one that has left with lent sockets may wait. */
	if (worker != NULL && worker->loan.count > 0 &&
	    worker->conns.count == 0) {
		receipts_catch_up_link(worker);
		rendezvous_catch_up(pool->context->rendezvous);
	}
	worker = worker_list_find(&pool->workers, name);
	if (worker == NULL)
		return;
	pool_unlink(pool, worker);
	pool_notify(pool);
}

static void
pool_on_room(void *owner, struct worker *worker)
{
	struct pool *pool = owner;

	turn_update(pool, worker);
	if (worker->unlinked) {
		if (pool_has_finished(worker))
			dispatch_free_worker(pool, worker);
		return;
	}
	if (!worker->has_left && !worker->full && !worker->draining)
		dispatch_lend(pool, worker);
	dispatch_send(pool);
	if (pool->starved)
		pool_notify(pool);
}

static void
pool_on_return(void *owner, struct handoff *handoff)
{
	dispatch_return(owner, handoff);
}

static struct worker *
pool_new_worker(struct pool *pool, const char *name, struct mailbox *mailbox)
{
	static const struct worker_callbacks callbacks = {
	    .on_room = pool_on_room,
	    .on_return = pool_on_return,
	    .on_silence = vitals_on_silence,
	    .on_plain = vitals_on_plain,
	    .on_death = vitals_on_death,
	};
	struct worker *worker = NULL;

	if (pool->count >= POOL_WORKERS_MAX)
		vitals_make_room(pool);
	pool->refused = pool->count >= POOL_WORKERS_MAX ||
	    !owner_quotas_may_join(
		pool->context->workers->quotas, mailbox->owner);
	if (!pool->refused)
		worker = worker_new(
		    pool->context->workers, name, mailbox, &callbacks, pool);
	if (worker == NULL)
		limited_log_line(&pool->error_limit, pool->context->log,
		    LOG_ERR, "mailbox %s%s: not used: %s",
		    pool->finder.directory, name,
		    pool->refused ? POOL_REFUSED : strerror(errno));
	return worker;
}

/* From now on a new worker gets as much as the others, not more. */
static void
pool_add_worker(struct pool *pool, struct worker *worker)
{
	const struct worker *other;
	uint64_t least = UINT64_MAX;

	TAILQ_FOREACH (other, &pool->workers, entry)
		if (!other->unlinked && other->share.pass < least)
			least = other->share.pass;
	share_init(&worker->share, worker->share.weight,
	    least == UINT64_MAX ? 0 : least);
	TAILQ_INSERT_HEAD(&pool->workers, worker, entry);
	turn_add(pool, worker);
	pool->count++;
}

static void
pool_on_found(void *owner, const char *name, struct mailbox *mailbox)
{
	struct pool *pool = owner;
	struct worker *worker = worker_list_find(&pool->workers, name);

	if (worker != NULL)
		pool_unlink(pool, worker); /* a new inode is a new worker */
	worker = pool_new_worker(pool, name, mailbox);
	if (worker == NULL) {
		mailbox_close(mailbox);
		return;
	}
	pool_add_worker(pool, worker);
	rendezvous_on_worker(pool->context->rendezvous, worker);
	pool->starved = 1;
	pool_on_room(pool, worker);
}

static int
pool_init(struct pool *pool, const struct pool_context *context,
    const char *path, uint32_t uid)
{
	static const struct finder_callbacks callbacks = {
	    .knows = pool_knows,
	    .known = pool_known,
	    .on_found = pool_on_found,
	    .on_gone = pool_on_gone,
	};

	pool->context = context;
	TAILQ_INIT(&pool->workers);
	TAILQ_INIT(&pool->queue);
	TAILQ_INIT(&pool->held);
	TAILQ_INIT(&pool->lent);
	TAILQ_INIT(&pool->borrowers);
	TAILQ_INIT(&pool->users);
	TAILQ_INIT(&pool->hearing);
	if (timer_init(
		&pool->wake, context->workers->base, pool_on_wake, pool) == -1)
		return -1;
	if (finder_init(&pool->finder, context->watch, context->log, path, uid,
		&callbacks, pool) == -1) {
		timer_done(&pool->wake);
		return -1;
	}
	pool->finder.errors.reported = &context->workers->persistent->reported;
	return 0;
}

struct pool *
pool_find(struct pool_list *list, const struct pool_context *context,
    const char *path, uint32_t uid)
{
	struct pool *pool;

	TAILQ_FOREACH (pool, list, entry)
		if (strcmp(pool->finder.path, path) == 0)
			return pool;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	if (pool_init(pool, context, path, uid) == -1) {
		free(pool);
		return NULL;
	}
	TAILQ_INSERT_TAIL(list, pool, entry);
	return pool;
}

void
pool_clear(struct pool *pool)
{
	struct worker *worker;

	while ((worker = TAILQ_FIRST(&pool->workers)) != NULL)
		dispatch_free_worker(pool, worker);
	handoff_free_list(&pool->held);
	handoff_free_list(&pool->lent);
	borrower_list_free(&pool->borrowers);
}

void
pool_free(struct pool *pool)
{
	finder_done(&pool->finder);
	pool_clear(pool);
	timer_done(&pool->wake);
	free(pool);
}

void
pool_add_user(struct pool *pool, struct pool_user *user)
{
	TAILQ_INSERT_TAIL(&pool->users, user, entry);
	pool_set_waiting(pool, user, 1, 0);
}

void
pool_remove_user(struct pool *pool, struct pool_user *user)
{
	pool_set_waiting(pool, user, 0, 0);
	TAILQ_REMOVE(&pool->users, user, entry);
}

void
pool_set_waiting(
    struct pool *pool, struct pool_user *user, int for_room, int for_worker)
{
	int any;

	if (for_room && !user->hears)
		TAILQ_INSERT_TAIL(&pool->hearing, user, hearing_entry);
	else if (!for_room && user->hears)
		TAILQ_REMOVE(&pool->hearing, user, hearing_entry);
	pool->hearing_count += (size_t)for_room - (size_t)user->hears;
	user->hears = for_room;
	pool->waiting_count += (size_t)for_worker - (size_t)user->waiting;
	user->waiting = for_worker;
	any = !TAILQ_EMPTY(&pool->lent) || pool->waiting_count > 0;
	if (any != pool->finder.waiting)
		finder_set_waiting(&pool->finder, any);
}

int
pool_drain(struct pool *pool, const char *name)
{
	struct worker *worker = worker_list_find(&pool->workers, name);

	if (worker == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (persistent_set_drained(pool->context->workers->persistent,
		worker->mailbox.device, worker->mailbox.inode, 1) == -1)
		return -1;
	worker->draining = 1;
	timer_set(&pool->wake, 0);
	return 0;
}

void
pool_follow(struct pool *pool)
{
	struct persistent *persistent = pool->context->workers->persistent;
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		worker->draining |=
		    (persistent_find(persistent, worker->mailbox.device,
			 worker->mailbox.inode) &
			PERSISTENT_DRAINING) != 0;
	timer_set(&pool->wake, 0);
}

size_t
pool_count_workers(const struct pool *pool)
{
	const struct worker *worker;
	size_t count = 0;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		count += worker_is_present(worker) ? 1 : 0;
	return count;
}

int
pool_has_worker(const struct pool *pool)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker_is_present(worker))
			return 1;
	return 0;
}

int
pool_is_busy(const struct pool *pool)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker->unreceipted.count > 0)
			return 1;
	return !TAILQ_EMPTY(&pool->held);
}

void
pool_release(struct pool *pool)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		unreceipted_release(&worker->unreceipted);
}

struct worker *
pool_find_worker(const struct pool *pool, const struct hello *hello, uid_t uid)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker->mailbox.inode == hello->inode &&
		    worker->mailbox.device == hello->device &&
		    worker->mailbox.owner == uid &&
		    strcmp(worker->name, hello->name) == 0)
			return worker;
	return NULL;
}
