/* SPDX-License-Identifier: ISC */
/*
 * Which worker gets a connection, and what happens when it cannot be sent.
 * Engine, unprivileged.
 */
#include "engine/pool/dispatch.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/ledger.h"
#include "engine/handoff/limited_log.h"
#include "engine/handoff/refuse.h"
#include "engine/policy/errors.h"
#include "engine/worker/receipts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define DISPATCH_RETRY_US 10000   /* after a passing shortage */
#define DISPATCH_FAULT_US 1000000 /* after any other error */

struct worker *
dispatch_pick(struct pool *pool, const struct record_endpoint *endpoint)
{
	struct worker *worker;

	while ((worker = turn_next(pool, endpoint)) != NULL &&
	    !worker_has_room(worker, endpoint))
		; /* it is marked as full: try the next one */
	if (worker == NULL)
		pool->starved = 1;
	else
		turn_update(pool, worker); /* it was late, but has read */
	return worker;
}

static void
dispatch_hold(struct pool *pool, struct handoff *handoff)
{
	handoff->stats->held++;
	handoff->client = HANDOFF_CLIENT_UNKNOWN;
	TAILQ_INSERT_TAIL(&pool->held, handoff, entry);
}

static void
dispatch_unhold(struct pool *pool, struct handoff *handoff)
{
	handoff->stats->held--;
	TAILQ_REMOVE(&pool->held, handoff, entry);
}

void
dispatch_return(struct pool *pool, struct handoff *handoff)
{
	handoff->redeliveries++;
	handoff->stats->held++;
	handoff->client = HANDOFF_CLIENT_UNKNOWN;
	ledger_hold(handoff->bounded->ledger, handoff);
	TAILQ_INSERT_HEAD(&pool->held, handoff, entry);
}

void
dispatch_take_over(struct pool *pool, struct handoff *handoff)
{
	ledger_hold(handoff->bounded->ledger, handoff);
	dispatch_hold(pool, handoff);
	timer_set(&pool->wake, 0);
}

int
dispatch_holds(const struct pool *pool, const struct stats_listener *listener)
{
	const struct handoff *handoff;

	TAILQ_FOREACH (handoff, &pool->held, entry)
		if (handoff->stats == listener)
			return 1;
	return 0;
}

uint64_t
dispatch_refuse_held(struct pool *pool, const struct stats_listener *listener)
{
	struct handoff *handoff, *next;
	uint64_t count = 0;

	for (handoff = TAILQ_FIRST(&pool->held); handoff != NULL;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		if (handoff->stats != listener)
			continue;
		dispatch_unhold(pool, handoff);
		refuse_connection(pool->context->refusals, handoff->endpoint,
		    fd_steal(&handoff->fd));
		handoff_free(handoff);
		count++;
	}
	return count;
}

void
dispatch_take_back(struct pool *pool, struct worker *worker)
{
	struct handoff *handoff;

	if (worker->outbox_count > 0)
		TAILQ_REMOVE(&pool->queue, worker, queue_entry);
	while ((handoff = TAILQ_FIRST(&worker->outbox)) != NULL) {
		TAILQ_REMOVE(&worker->outbox, handoff, entry);
		dispatch_hold(pool, handoff);
	}
	worker->outbox_count = 0;
	turn_update(pool, worker);
}

void
dispatch_free_worker(struct pool *pool, struct worker *worker)
{
	dispatch_take_back(pool, worker);
	borrower_remember(pool, worker);
	TAILQ_REMOVE(&pool->workers, worker, entry);
	turn_remove(pool, worker);
	pool->count--;
	worker_free(worker);
	if (pool->refused)
		timer_set(&pool->wake, 0); /* it may be used now */
	pool->refused = 0;
}

/* The worker may be gone afterwards. */
static void
dispatch_on_failure(struct pool *pool, struct worker *worker,
    struct stats_listener *stats, int error)
{
	switch (errors_of_send(error)) {
	case ERRORS_SEND_FULL: /* on_room follows */
		stats->worker_full++;
		return;
	case ERRORS_SEND_AWAY:
		stats->worker_away++;
		worker->callbacks->on_death(worker->owner, worker);
		return;
	case ERRORS_SEND_LEAVING:
		stats->worker_leaving++;
		worker->has_left = 1;
		timer_set(&pool->wake, 0); /* it may have been the last one */
		return;
	case ERRORS_SEND_RETRY:
		stats->send_retried++;
		if (error == ETOOMANYREFS) {
			owner_quota_on_refused(worker->quota);
			return; /* all of its owner wait, and nobody else */
		}
		window_init(&worker->window);
		worker_rest(worker, DISPATCH_RETRY_US);
		return;
	case ERRORS_SEND_FAULT:
	case ERRORS_SEND_BUG:
		break;
	}
	stats->send_failed++;
	worker_rest(worker, DISPATCH_FAULT_US);
	limited_log_line(&pool->error_limit, pool->context->log, LOG_ERR,
	    "mailbox %s: worker %s: "
	    "cannot send: %s: trying others, and this one again in 1 s",
	    pool->finder.path, worker->name, strerror(error));
}

/* Asks the kernel whether clients sent a reset while they waited: those of this
 * worker's datagram and, with the same system call, those of the next ones'.
 */
static void
dispatch_look_for_resets(struct worker *worker)
{
	struct pollfd ends[FDRECV_WIRE_BATCH_MAX];
	struct handoff *asked[FDRECV_WIRE_BATCH_MAX], *handoff;
	size_t count = 0;

	for (; worker != NULL && count < FDRECV_WIRE_BATCH_MAX;
	     worker = TAILQ_NEXT(worker, queue_entry))
		TAILQ_FOREACH (handoff, &worker->outbox, entry) {
			if (handoff->client != HANDOFF_CLIENT_UNKNOWN ||
			    count == FDRECV_WIRE_BATCH_MAX)
				continue;
			handoff->client = HANDOFF_CLIENT_PRESENT;
			if (handoff->endpoint->socket.kind != RECORD_TCP)
				continue;
			ends[count] = (struct pollfd){.fd = handoff->fd};
			asked[count++] = handoff;
		}
	if (count == 0 || poll(ends, count, 0) <= 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (ends[i].revents & POLLERR)
			asked[i]->client = HANDOFF_CLIENT_GONE;
}

/* Closes connections whose client is gone: accept(2) returns these as well, but
 * there is nobody to serve. */
static void
dispatch_drop_gone(struct worker *worker)
{
	struct handoff *handoff, *next;
	int unknown = 0;

	TAILQ_FOREACH (handoff, &worker->outbox, entry)
		unknown |= handoff->client == HANDOFF_CLIENT_UNKNOWN;
	if (unknown)
		dispatch_look_for_resets(worker);
	for (handoff = TAILQ_FIRST(&worker->outbox); handoff != NULL;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		if (handoff->client != HANDOFF_CLIENT_GONE)
			continue;
		TAILQ_REMOVE(&worker->outbox, handoff, entry);
		worker->outbox_count--;
		handoff->stats->dead++;
		handoff_free(handoff);
		worker_wake(worker); /* no receipt will report the room */
	}
}

static void
dispatch_send_one(struct pool *pool, struct worker *worker)
{
	struct handoff *handoff;
	int error;

	dispatch_drop_gone(worker);
	handoff = TAILQ_FIRST(&worker->outbox);
	if (handoff == NULL ||
	    (receipts_offer_link(worker, handoff->endpoint) == 0 &&
		worker_send(worker) == 0)) {
		TAILQ_REMOVE(&pool->queue, worker, queue_entry);
		turn_update(pool, worker);
		return;
	}
	error = errno;
	dispatch_take_back(pool, worker);
	dispatch_on_failure(pool, worker, handoff->stats, error);
}

void
dispatch_put(struct pool *pool, struct worker *worker, struct handoff *handoff)
{
	int complete;

	/* A hand-off without a record has a datagram of its own.  The next
	 * worker's outbox may not be empty either. */
	while (worker != NULL && worker->outbox_count > 0 &&
	    !worker_is_receipted(worker, handoff->endpoint)) {
		dispatch_send_one(pool, worker);
		worker = dispatch_pick(pool, handoff->endpoint);
	}
	if (worker == NULL) {
		dispatch_hold(pool, handoff);
		return;
	}
	complete = worker_put(worker, handoff);
	turn_take(pool, worker);
	if (worker->outbox_count == 1)
		TAILQ_INSERT_TAIL(&pool->queue, worker, queue_entry);
	if (complete)
		dispatch_send_one(pool, worker);
}

/* True if a held hand-off was put.  If every worker has reached the limit of
 * connections of one endpoint, hand-offs of others do not wait for it. */
static int
dispatch_put_held(struct pool *pool)
{
	const struct record_endpoint *stuck = NULL;
	struct handoff *handoff, *next;
	struct worker *worker;
	int any = 0;

	/* Not all of them for the worker that has room first. */
	if (!TAILQ_EMPTY(&pool->held))
		turn_reconsider(pool);
	for (handoff = TAILQ_FIRST(&pool->held); handoff != NULL;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		if (handoff->endpoint == stuck)
			continue;
		worker = dispatch_pick(pool, handoff->endpoint);
		if (worker == NULL) {
			stuck = handoff->endpoint;
			continue;
		}
		dispatch_unhold(pool, handoff);
		dispatch_put(pool, worker, handoff);
		any = 1;
	}
	return any;
}

/* The loop ends, because a worker that fails has no room. */
void
dispatch_send(struct pool *pool)
{
	do {
		while (!TAILQ_EMPTY(&pool->queue))
			dispatch_send_one(pool, TAILQ_FIRST(&pool->queue));
	} while (dispatch_put_held(pool));
}

void
dispatch_add_lent(struct pool *pool, struct handoff *handoff)
{
	TAILQ_INSERT_TAIL(&pool->lent, handoff, entry);
	pool->finder.waiting = 1; /* the socket itself waits for workers */
}

void
dispatch_remove_lent(struct pool *pool, const struct stats_listener *listener)
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

static int
dispatch_may_lend(const struct pool *pool)
{
	const struct pool_user *user;
	int may = 1;

	TAILQ_FOREACH (user, &pool->users, entry)
		may &= user->may_lend == NULL || user->may_lend(user->owner, 1);
	return may;
}

void
dispatch_lend(struct pool *pool, struct worker *worker)
{
	struct handoff *handoff;
	size_t i = 0;

	TAILQ_FOREACH (handoff, &pool->lent, entry) {
		if (i++ < worker->loan.count)
			continue;
		if (!owner_quota_has_room(worker->quota))
			return; /* on_room follows */
		if (worker->loan.count == 0 && !dispatch_may_lend(pool))
			return;
		if (receipts_offer_link(worker, handoff->endpoint) == -1 ||
		    worker_lend(worker, handoff) == -1) {
			dispatch_on_failure(
			    pool, worker, handoff->stats, errno);
			return;
		}
		if (worker->loan.count++ == 0)
			worker->loan.since_ms = clock_ms();
		handoff->stats->lent++;
	}
}
