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

/* The worker was serving the oldest, or had not come to it yet.  If a child
 * survives, the child may be serving it. */
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

	receipts_catch_up(worker);
	all = worker->unreceipted.count;
	while (
	    (handoff = unreceipted_take_oldest(&worker->unreceipted)) != NULL)
		redeliver_judge(
		    pool, handoff, count++ == 0, worker->has_survivor, &back);
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
