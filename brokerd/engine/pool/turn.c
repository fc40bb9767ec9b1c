/* SPDX-License-Identifier: ISC */
/*
 * Which worker of a pool is next.  Engine, unprivileged.  Workers that are
 * found to have no room are put aside until something happens to them, so that
 * neither many workers nor many that are full make a connection expensive.
 */
#include "engine/pool/turn.h"

#include "engine/pool/pool.h"
#include "engine/worker/receipts.h"

static uint64_t
turn_rank(const struct pool *pool, const struct worker *worker)
{
	return share_rank(
	    &worker->share, worker_outstanding(worker), pool->turn.differ);
}

static void
turn_set_aside(struct pool *pool, struct worker *worker)
{
	share_heap_remove(&pool->turn.heap, &worker->share);
	worker->share.seen_late = worker->silence.state != SILENCE_NONE;
	pool->turn.aside++;
	pool->turn.late += worker->share.seen_late ? 1 : 0;
}

static void
turn_leave(struct pool *pool, struct worker *worker)
{
	if (worker->share.is_queued) {
		share_heap_remove(&pool->turn.heap, &worker->share);
		return;
	}
	pool->turn.aside--;
	pool->turn.late -= worker->share.seen_late ? 1 : 0;
}

static void
turn_enter(struct pool *pool, struct worker *worker)
{
	share_heap_add(
	    &pool->turn.heap, &worker->share, turn_rank(pool, worker));
}

void
turn_reconsider(struct pool *pool)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry) {
		turn_leave(pool, worker);
		turn_enter(pool, worker);
	}
}

/* A worker came, went or has another weight. */
static void
turn_compare_weights(struct pool *pool)
{
	const struct worker *worker, *first = TAILQ_FIRST(&pool->workers);
	int differ = 0;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		differ |= worker->share.weight != first->share.weight;
	if (differ == pool->turn.differ)
		return;
	pool->turn.differ = differ;
	turn_reconsider(pool);
}

void
turn_add(struct pool *pool, struct worker *worker)
{
	worker->share.owner = worker;
	worker->share.seen_weight = worker->share.weight;
	turn_enter(pool, worker);
	turn_compare_weights(pool);
}

void
turn_remove(struct pool *pool, struct worker *worker)
{
	turn_leave(pool, worker);
	turn_compare_weights(pool);
}

void
turn_update(struct pool *pool, struct worker *worker)
{
	if (worker->share.seen_weight != worker->share.weight) {
		worker->share.seen_weight = worker->share.weight;
		turn_compare_weights(pool);
	}
	if (worker->share.is_queued &&
	    worker->share.rank == turn_rank(pool, worker))
		return;
	turn_leave(pool, worker);
	turn_enter(pool, worker);
}

void
turn_take(struct pool *pool, struct worker *worker)
{
	turn_leave(pool, worker);
	share_take(&worker->share);
	worker->share.turn = ++pool->turn.last;
	turn_enter(pool, worker);
}

/* Workers without room for one endpoint may have room for another. */
static void
turn_begin(struct pool *pool, const struct record_endpoint *endpoint)
{
	struct turn *turn = &pool->turn;

	if (turn->window == endpoint->window &&
	    turn->max_connections == endpoint->max_connections &&
	    turn->protocol == endpoint->protocol)
		return;
	turn->window = endpoint->window;
	turn->max_connections = endpoint->max_connections;
	turn->protocol = endpoint->protocol;
	if (turn->aside > 0)
		turn_reconsider(pool);
}

static struct worker *
turn_next_late(struct pool *pool, const struct record_endpoint *endpoint)
{
	struct worker *worker, *best = NULL;

	TAILQ_FOREACH (worker, &pool->workers, entry) {
		if (worker->silence.state == SILENCE_NONE) {
			if (worker_is_present(worker) && !worker->paused)
				return NULL; /* it answers */
		} else if (worker_may_take(worker, endpoint) &&
		    (best == NULL ||
			turn_rank(pool, worker) < turn_rank(pool, best) ||
			(turn_rank(pool, worker) == turn_rank(pool, best) &&
			    worker->share.turn < best->share.turn))) {
			best = worker;
		}
	}
	return best;
}

static int
turn_may_take(
    const struct worker *worker, const struct record_endpoint *endpoint)
{
	return worker->silence.state == SILENCE_NONE &&
	    worker_may_take(worker, endpoint);
}

/* True if receipts of which no message had told make room.  If not, a message
 * tells of each further one.  A worker may write numbers that mean nothing
 * without end: that makes no room, so this ends. */
static int
turn_look(struct worker *worker, const struct record_endpoint *endpoint)
{
	for (int ask = 0; ask <= 1; ask++)
		if (receipts_look(worker, ask) > 0 &&
		    turn_may_take(worker, endpoint))
			return 1;
	return 0;
}

struct worker *
turn_next(struct pool *pool, const struct record_endpoint *endpoint)
{
	struct turn *turn = &pool->turn;
	struct worker *worker;

	turn_begin(pool, endpoint);
	while (turn->heap.next != NULL) {
		worker = turn->heap.next->owner;
		if (worker->share.rank != turn_rank(pool, worker))
			turn_update(pool, worker);
		else if (turn_may_take(worker, endpoint))
			return worker;
		else if (!turn_look(worker, endpoint))
			turn_set_aside(pool, worker);
	}
	return turn->late == 0 ? NULL : turn_next_late(pool, endpoint);
}
