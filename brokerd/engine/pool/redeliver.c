/* SPDX-License-Identifier: ISC */
/*
 * Redelivers or closes the connections that a dead worker had not confirmed.
 * Engine, unprivileged.  A request must never be served twice, so another
 * worker gets a connection only if the dead one has certainly not touched it.
 */
#include "engine/pool/redeliver.h"

#include "base/fd.h"
#include "engine/handoff/limited_log.h"
#include "engine/handoff/refuse.h"
#include "engine/handoff/tcp_probe.h"
#include "engine/pool/dispatch.h"
#include "engine/worker/receipts.h"

/* 0, and takes the hand-off; or -1 if too many workers have died while it was
 * their oldest. */
static int
redeliver_try(struct handoff *handoff, int oldest, struct handoff_list *back)
{
	handoff->deaths += oldest ? 1 : 0;
	if (handoff->deaths > handoff->endpoint->redeliveries)
		return -1;
	TAILQ_INSERT_HEAD(back, handoff, entry);
	return 0;
}

/* True if nobody has received a hand-off.  As long as the mailbox is not empty,
 * the last datagram is in it. */
static int
redeliver_is_unread(const struct worker *worker, const struct handoff *handoff)
{
	return handoff->sequence >= worker->last_datagram &&
	    !mailbox_is_empty(&worker->mailbox);
}

/* The worker was serving the oldest, or had not come to it yet.  If a child
 * survives that may be serving it, survived is true. */
static void
redeliver_judge(struct pool *pool, struct handoff *handoff, int oldest,
    int survived, struct handoff_list *back)
{
	enum touched touched =
	    oldest && survived ? TOUCHED_PERHAPS : tcp_probe_touched(handoff);

	handoff->stats->returned_death++;
	if (touched == TOUCHED_NO) {
		if (redeliver_try(handoff, oldest, back) == 0)
			return;
		handoff->stats->refused_deaths++;
		refuse_connection(pool->context->refusals, handoff->endpoint,
		    fd_steal(&handoff->fd));
	} else if (touched == TOUCHED_CLOSED) {
		handoff->stats->dead++;
	} else {
		handoff->stats->died++;
	}
	handoff_free(handoff);
}

void
redeliver_dead(struct pool *pool, struct worker *worker)
{
	struct handoff_list back = TAILQ_HEAD_INITIALIZER(back);
	struct handoff *handoff;
	size_t all, count = 0;
	int survived;

	receipts_catch_up(worker);
	all = worker->unreceipted.count;
	reading_expect_no_receipts(&worker->silence.reading, all);
	while (
	    (handoff = unreceipted_take_oldest(&worker->unreceipted)) != NULL) {
		survived = worker->has_survivor &&
		    !redeliver_is_unread(worker, handoff);
		if (survived && worker->has_successor && count == 0) {
			unreceipted_doubt(&worker->unreceipted, handoff);
			silence_watch(worker);
		} else
			redeliver_judge(
			    pool, handoff, count == 0, survived, &back);
		count++;
	}
	for (count = 0; (handoff = TAILQ_FIRST(&back)) != NULL; count++) {
		TAILQ_REMOVE(&back, handoff, entry);
		dispatch_return(pool, handoff);
	}
	if (all > 0)
		limited_log_line(&pool->death_limit, pool->context->log,
		    LOG_WARNING,
		    "mailbox %s: worker %s: died: %zu of its %zu connections "
		    "go to other workers%s",
		    pool->finder.path, worker->name, count, all,
		    count == all ? "" :
				   ", the others may have been read or were "
				   "given up");
}
