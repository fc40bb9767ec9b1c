/* SPDX-License-Identifier: ISC */
/*
 * Which workers a pool has.  Engine, unprivileged.
 */
#include "engine/pool/worker_set.h"

#include <string.h>

void
worker_set_init(struct worker_set *set)
{
	*set = (struct worker_set){.count = 0};
	TAILQ_INIT(&set->list);
	TAILQ_INIT(&set->leaving);
}

void
worker_set_add(struct worker_set *set, struct worker *worker)
{
	const struct worker *other;
	uint64_t least = UINT64_MAX;

	TAILQ_FOREACH (other, &set->list, entry)
		if (other->share.pass < least)
			least = other->share.pass;
	share_init(&worker->share, FDRECV_WIRE_WEIGHT,
	    TAILQ_EMPTY(&set->list) ? 0 : least);
	TAILQ_INSERT_HEAD(&set->list, worker, entry);
	set->count++;
}

void
worker_set_unlink(struct worker_set *set, struct worker *worker)
{
	worker->unlinked = 1;
	TAILQ_REMOVE(&set->list, worker, entry);
	TAILQ_INSERT_TAIL(&set->leaving, worker, entry);
}

void
worker_set_remove(struct worker_set *set, struct worker *worker)
{
	TAILQ_REMOVE(
	    worker->unlinked ? &set->leaving : &set->list, worker, entry);
	set->count--;
}

struct worker *
worker_set_find(const struct worker_set *set, const char *name)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &set->list, entry)
		if (strcmp(worker->name, name) == 0)
			return worker;
	return NULL;
}

static int
worker_set_is(const struct worker *worker, const struct hello *hello, uid_t uid)
{
	return worker->mailbox.inode == hello->inode &&
	    worker->mailbox.device == hello->device &&
	    worker->mailbox.owner == uid &&
	    strcmp(worker->name, hello->name) == 0;
}

struct worker *
worker_set_find_hello(
    const struct worker_set *set, const struct hello *hello, uid_t uid)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &set->list, entry)
		if (worker_set_is(worker, hello, uid))
			return worker;
	TAILQ_FOREACH (worker, &set->leaving, entry)
		if (worker_set_is(worker, hello, uid))
			return worker;
	return NULL;
}

size_t
worker_set_count_active(const struct worker_set *set)
{
	const struct worker *worker;
	size_t count = 0;

	TAILQ_FOREACH (worker, &set->list, entry)
		count += !worker->left && !worker->draining;
	return count;
}

int
worker_set_is_busy(const struct worker_set *set)
{
	const struct worker *worker;
	size_t count = 0;

	TAILQ_FOREACH (worker, &set->list, entry)
		count += worker->unreceipted.count;
	TAILQ_FOREACH (worker, &set->leaving, entry)
		count += worker->unreceipted.count;
	return count > 0;
}

void
worker_set_release(struct worker_set *set)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &set->list, entry)
		unreceipted_release(&worker->unreceipted);
	TAILQ_FOREACH (worker, &set->leaving, entry)
		unreceipted_release(&worker->unreceipted);
}
