/* SPDX-License-Identifier: ISC */
/*
 * Which worker gets a connection, and what to do when it fails.  Engine,
 * unprivileged.
 */
#include "engine/pool/route.h"

#include "base/fd.h"
#include "engine/core.h"
#include "engine/handoff/limited_log.h"
#include "engine/handoff/tcp_probe.h"
#include "engine/policy/errors.h"
#include "engine/worker/receipts.h"
#include "engine/worker/rendezvous.h"

#include <errno.h>
#include <string.h>

#define ROUTE_RETRY_US 10000   /* before a passing fault is tried again */
#define ROUTE_FAULT_US 1000000 /* before a standing one is */

static size_t
route_outstanding(const struct worker *worker)
{
	return worker->unreceipted.count + worker->outbox_count;
}

/* The kernel is not asked here: that is a system call for each. */
static struct worker *
route_best(struct pool *pool, const struct record_endpoint *endpoint)
{
	struct worker *worker, *best = NULL;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker_may_take(worker, endpoint) &&
		    (best == NULL ||
			share_is_before(&worker->share,
			    route_outstanding(worker), &best->share,
			    route_outstanding(best))))
			best = worker;
	return best;
}

struct worker *
route_pick(struct pool *pool, const struct record_endpoint *endpoint)
{
	struct worker *best;

	while ((best = route_best(pool, endpoint)) != NULL &&
	    !worker_has_room(best, endpoint))
		; /* it is full now, and the next one may not be */
	if (best == NULL) {
		pool->starved = 1;
		return NULL;
	}
	TAILQ_REMOVE(&pool->workers, best, entry);
	TAILQ_INSERT_TAIL(&pool->workers, best, entry);
	return best;
}

/* What a failed send means; worker may be gone afterwards. */
static void
route_on_failure(struct pool *pool, struct worker *worker,
    struct stats_listener *stats, int error)
{
	switch (errors_of_send(error)) {
	case ERRORS_SEND_FULL: /* worker_send() has seen to it */
		stats->worker_full++;
		return;
	case ERRORS_SEND_AWAY:
		stats->worker_away++;
		route_bury(pool, worker);
		return;
	case ERRORS_SEND_LEAVING:
		stats->worker_leaving++;
		worker->left = 1;
		return;
	case ERRORS_SEND_RETRY:
		stats->send_retried++;
		window_init(&worker->window);
		worker_rest(worker, ROUTE_RETRY_US);
		return;
	case ERRORS_SEND_FAULT:
	case ERRORS_SEND_BUG:
		break;
	}
	stats->send_failed++;
	worker_rest(worker, ROUTE_FAULT_US);
	limited_log_line(&pool->fault_limit, &pool->core->log, LOG_ERR,
	    "mailbox %s: worker %s: "
	    "cannot send: %s: trying others, and this one again in 1 s",
	    pool->finder.path, worker->name, strerror(error));
}

static void
route_hold(struct pool *pool, struct handoff *handoff)
{
	handoff->stats->held++;
	TAILQ_INSERT_TAIL(&pool->held, handoff, entry);
}

void
route_return(struct pool *pool, struct handoff *handoff)
{
	handoff->redeliveries++;
	handoff->stats->held++;
	TAILQ_INSERT_HEAD(&pool->held, handoff, entry);
}

void
route_take_back(struct pool *pool, struct worker *worker)
{
	struct handoff *handoff;

	if (worker->outbox_count > 0)
		TAILQ_REMOVE(&pool->queue, worker, queue_entry);
	while ((handoff = TAILQ_FIRST(&worker->outbox)) != NULL) {
		TAILQ_REMOVE(&worker->outbox, handoff, entry);
		route_hold(pool, handoff);
	}
	worker->outbox_count = 0;
}

static void
route_send_one(struct pool *pool, struct worker *worker)
{
	struct stats_listener *stats = TAILQ_FIRST(&worker->outbox)->stats;
	int error;

	if (worker_send(worker) == 0) {
		TAILQ_REMOVE(&pool->queue, worker, queue_entry);
		return;
	}
	error = errno;
	route_take_back(pool, worker);
	route_on_failure(pool, worker, stats, error);
	if (!pool_has_worker(pool))
		pool_wake(pool);
}

void
route_put(struct pool *pool, struct worker *worker, struct handoff *handoff)
{
	int alone;

	/* The next one may have something to be sent as well. */
	while (worker != NULL && worker->outbox_count > 0 &&
	    !worker_is_receipted(worker, handoff->endpoint)) {
		route_send_one(pool, worker);
		worker = route_pick(pool, handoff->endpoint);
	}
	if (worker == NULL) {
		route_hold(pool, handoff);
		return;
	}
	alone = !worker_is_receipted(worker, handoff->endpoint);
	worker_put(worker, handoff);
	if (worker->outbox_count == 1)
		TAILQ_INSERT_TAIL(&pool->queue, worker, queue_entry);
	if (alone || worker->outbox_count == FDRECV_WIRE_BATCH_MAX)
		route_send_one(pool, worker);
}

/* True if any of what is held was put.  Where nobody has room for those of one
 * endpoint, as all serve as many of its connections as they may, others do not
 * wait behind them. */
static int
route_put_held(struct pool *pool)
{
	const struct record_endpoint *stuck = NULL;
	struct handoff *handoff, *next;
	struct worker *worker;
	int any = 0;

	for (handoff = TAILQ_FIRST(&pool->held); handoff != NULL;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		if (handoff->endpoint == stuck)
			continue;
		worker = route_pick(pool, handoff->endpoint);
		if (worker == NULL) {
			stuck = handoff->endpoint;
			continue;
		}
		TAILQ_REMOVE(&pool->held, handoff, entry);
		handoff->stats->held--;
		route_put(pool, worker, handoff);
		any = 1;
	}
	return any;
}

/* Ends: a worker that fails has no room. */
void
route_send(struct pool *pool)
{
	do {
		while (!TAILQ_EMPTY(&pool->queue))
			route_send_one(pool, TAILQ_FIRST(&pool->queue));
	} while (route_put_held(pool));
}

void
route_lend(struct pool *pool, struct worker *worker)
{
	struct handoff *handoff;
	size_t i = 0;

	TAILQ_FOREACH (handoff, &pool->lent, entry) {
		if (i++ < worker->lent)
			continue;
		if (worker_lend(worker, handoff) == -1) {
			route_on_failure(pool, worker, handoff->stats, errno);
			return;
		}
		worker->lent++;
		handoff->stats->lent++;
	}
}

/* The worker that had it last is dead; was it at this one, or had it not come
 * so far? */
static void
route_judge(struct pool *pool, struct handoff *handoff, int was_at_it,
    int survived, struct handoff_list *back)
{
	enum touched touched = TOUCHED_PERHAPS;

	if (!was_at_it || !survived)
		touched = tcp_probe_touched(handoff);
	handoff->stats->returned_death++;
	if (touched == TOUCHED_NO) {
		handoff->deaths += was_at_it ? 1 : 0;
		if (handoff->deaths <= handoff->endpoint->redeliveries) {
			TAILQ_INSERT_HEAD(back, handoff, entry);
			return;
		}
		handoff->stats->refused_deaths++;
		refuse_connection(&pool->core->refusals, handoff->endpoint,
		    fd_steal(&handoff->fd));
	} else if (touched == TOUCHED_CLOSED) {
		handoff->stats->dead++;
	} else {
		handoff->stats->died++;
	}
	handoff_free(handoff);
}

void
route_bury(struct pool *pool, struct worker *worker)
{
	struct handoff_list back = TAILQ_HEAD_INITIALIZER(back);
	struct handoff *handoff;
	size_t all, count = 0;

	/* Its HELLO may wait at the rendezvous, and its receipts behind it. */
	rendezvous_catch_up(pool->core->rendezvous);
	receipts_catch_up(worker);
	all = worker->unreceipted.count;
	while (
	    (handoff = unreceipted_take_oldest(&worker->unreceipted)) != NULL) {
		route_judge(pool, handoff, count == 0, worker->survived, &back);
		count++;
	}
	for (count = 0; (handoff = TAILQ_FIRST(&back)) != NULL; count++) {
		TAILQ_REMOVE(&back, handoff, entry);
		route_return(pool, handoff);
	}
	if (all > 0)
		limited_log_line(&pool->death_limit, &pool->core->log,
		    LOG_WARNING,
		    "mailbox %s: worker %s: died: %zu of its %zu connections "
		    "go to other workers%s",
		    pool->finder.path, worker->name, count, all,
		    count == all ? "" :
				   ", the others had perhaps been read or were "
				   "given up");
	pool_bury(pool, worker);
}
