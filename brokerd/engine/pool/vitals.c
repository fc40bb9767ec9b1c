/* SPDX-License-Identifier: ISC */
/*
 * Whether the workers of a pool live and answer.  Engine, unprivileged.  A
 * worker with a receipt connection dies audibly; the mailbox of another one
 * just refuses from then on.
 */
#include "engine/pool/vitals.h"

#include "base/clock.h"
#include "engine/handoff/limited_log.h"
#include "engine/pool/dispatch.h"
#include "engine/pool/redeliver.h"
#include "engine/worker/receipts.h"
#include "engine/worker/rendezvous.h"

#define VITALS_LOOK_US 10000 /* between looks, each of which takes time */
/* A process that ends closes its mailbox a moment after its connections. */
#define VITALS_AGAIN_US 200000

void
vitals_on_silence(void *owner, const struct worker *worker)
{
	struct pool *pool = owner;
	const struct silence *silence = &worker->silence;
	unsigned long long seconds = (clock_us() - silence->began_us) / 1000000;

	if (silence->state == SILENCE_STUCK)
		log_line(pool->context->log, LOG_WARNING,
		    "mailbox %s: worker %s: has not read its mailbox for %llu "
		    "s (stuck-after): it gets no more until it does; what is "
		    "in the mailbox waits for it",
		    pool->finder.path, worker->name, seconds);
	else if (silence->state == SILENCE_BUSY)
		log_line(pool->context->log, LOG_WARNING,
		    "mailbox %s: worker %s: took a connection %llu s ago and "
		    "has not come back from it (stuck-after): it hangs, or "
		    "serves a long connection: it gets no more until it comes "
		    "back",
		    pool->finder.path, worker->name, seconds);
	else
		log_line(pool->context->log, LOG_NOTICE,
		    "mailbox %s: worker %s: answers again after %llu s",
		    pool->finder.path, worker->name, seconds);
	timer_set(&pool->wake, 0); /* it may have been the last one */
}

void
vitals_on_plain(void *owner, const struct worker *worker)
{
	struct pool *pool = owner;

	limited_log_line(&pool->plain_limit, pool->context->log, LOG_WARNING,
	    "mailbox %s: worker %s: sends no receipts, as it cannot reach %s: "
	    "what it has when it dies is lost; see fdrecv(3)",
	    pool->finder.path, worker->name, pool->context->rendezvous->path);
}

/* A worker without receipts may not have read the last of its connections,
 * unless it ended politely. */
static void
vitals_count_unread(struct pool *pool, struct worker *worker)
{
	struct silence *silence = &worker->silence;
	unsigned long long count = reading_lost(&silence->reading, clock_us());

	if (count == 0 || mailbox_is_removed(&worker->mailbox))
		return;
	silence->reading.since_us = silence->reading.queued = 0;
	silence->reading.emptied = 0;
	silence->stats->plain_died += count;
	limited_log_line(&pool->death_limit, pool->context->log, LOG_WARNING,
	    "mailbox %s: worker %s: died: it may not have read the last %llu "
	    "of its connections, which are lost: it sends no receipts",
	    pool->finder.path, worker->name, count);
}

static void
vitals_tell_left(struct pool *pool, const struct worker *worker)
{
	if (worker->has_left)
		limited_log_line(&pool->error_limit, pool->context->log,
		    LOG_NOTICE,
		    "mailbox %s: worker %s: its process has ended, but another "
		    "one keeps the mailbox open: it gets nothing until that "
		    "one uses it",
		    pool->finder.path, worker->name);
}

/* Its process gets nothing more. */
static void
vitals_end(struct pool *pool, struct worker *worker)
{
	vitals_count_unread(pool, worker);
	redeliver_dead(pool, worker);
	dispatch_take_back(pool, worker);
	worker_hang_up(worker);
	worker->has_left = 1;
	timer_set(&pool->wake, 0); /* it may have been the last one */
}

/* If the mailbox is open, a child of the dead process has it.  As long as the
 * name exists, the worker stays, so that the mailbox is not found again; it
 * gets nothing until the child says HELLO, which may wait at the rendezvous. */
static void
vitals_remove_dead(struct pool *pool, struct worker *worker)
{
	if (!worker->unlinked && mailbox_is_alive(&worker->mailbox)) {
		receipts_claim_link(worker);
		rendezvous_on_worker(pool->context->rendezvous, worker);
		if (worker->looks_again)
			vitals_tell_left(pool, worker);
		else
			timer_set(&worker->check, VITALS_AGAIN_US);
		worker->looks_again = !worker->looks_again;
		return;
	}
	worker_note(worker, 0);
	dispatch_free_worker(pool, worker);
}

void
vitals_on_death(void *owner, struct worker *worker)
{
	struct pool *pool = owner;
	int is_new = worker->kind == WORKER_NEW;

	/* Its HELLO may wait to be read, or that of a child that shares the
	 * mailbox.  Then the end of its connection reports its death. */
	receipts_catch_up_link(worker);
	rendezvous_catch_up(pool->context->rendezvous);
	if ((is_new && worker->kind != WORKER_NEW) ||
	    receipts_are_anothers(worker))
		return;
	vitals_end(pool, worker);
	vitals_remove_dead(pool, worker);
}

void
vitals_make_room(struct pool *pool)
{
	struct worker *worker = TAILQ_FIRST(&pool->workers);

	while (worker != NULL && !worker->dead)
		worker = TAILQ_NEXT(worker, entry);
	if (worker != NULL)
		dispatch_free_worker(pool, worker);
}

/* The name of its mailbox is still there: as long as it is, the worker is
 * shown. */
static void
vitals_on_dead(struct pool *pool, struct worker *worker)
{
	vitals_end(pool, worker);
	worker_note(worker, 0);
	worker->dead = 1;
	timer_stop(&worker->check);
	limited_log_line(&pool->dead_limit, pool->context->log, LOG_NOTICE,
	    "mailbox %s: worker %s: its process has died and left the socket: "
	    "it gets no more",
	    pool->finder.path, worker->name);
}

/* A worker that was late and has read has room again. */
static void
vitals_look_at(struct worker *worker)
{
	enum silence_state before = worker->silence.state;

	silence_look(worker);
	if (worker->silence.state < before)
		worker_wake(worker); /* on_room follows */
}

void
vitals_look(struct pool *pool)
{
	uint64_t now_us = clock_us();
	struct worker *worker;

	if (now_us - pool->looked_us < VITALS_LOOK_US)
		return;
	pool->looked_us = now_us;
	TAILQ_FOREACH (worker, &pool->workers, entry) {
		receipts_catch_up_link(worker);
		if (worker->conns.count > 0 || worker->dead || worker->unlinked)
			continue;
		if (!mailbox_is_alive(&worker->mailbox))
			vitals_on_dead(pool, worker);
		else if (!worker->has_left)
			vitals_look_at(worker);
	}
}

uint64_t
vitals_oldest_us(const struct pool *pool)
{
	uint64_t now_us = clock_us(), since_us, oldest_us = 0;
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry) {
		since_us = silence_since_us(worker);
		if (since_us != 0 && now_us - since_us > oldest_us)
			oldest_us = now_us - since_us;
	}
	return oldest_us;
}

size_t
vitals_count(const struct pool *pool, enum silence_state state)
{
	const struct worker *worker;
	size_t count = 0;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		count += worker->silence.state == state ? 1 : 0;
	return count;
}
