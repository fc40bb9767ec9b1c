/* SPDX-License-Identifier: ISC */
/*
 * How much of the engine's time the receipt connections of one owner get for
 * messages that bring nothing.  Engine, unprivileged.
 */
#include "engine/worker/link_share.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/worker/receipt_conn.h"

#include <event2/event.h>

#define LINK_SHARE_TURNS 16      /* are watched again at a time */
#define LINK_SHARE_CALM_MS 60000 /* then the next rest is told again */

static void
link_share_tell(struct link_share *share)
{
	uint64_t before_ms = share->rested_ms;

	share->rests++;
	share->rested_ms = clock_ms();
	if (before_ms != 0 && share->rested_ms - before_ms < LINK_SHARE_CALM_MS)
		return;
	log_line(share->log, LOG_WARNING,
	    "owner %u sends many messages on receipt connections that confirm "
	    "nothing: its messages are read for a tenth of the time",
	    share->uid);
}

void
link_share_leave(struct link_share *share, struct receipt_conn *conn)
{
	if (!conn->rests)
		return;
	conn->rests = 0;
	TAILQ_REMOVE(&share->resting, conn, resting_entry);
	receipt_ring_end_rest(&conn->ring);
}

int
link_share_may_read(struct link_share *share, struct receipt_conn *conn)
{
	uint64_t rest_us = share->effort->until_us == 0 ?
	    0 :
	    effort_rest_us(share->effort, clock_us());

	if (rest_us == 0)
		return 1;
	if (conn->rests)
		return 0;
	link_share_tell(share);
	conn->rests = 1;
	TAILQ_INSERT_TAIL(&share->resting, conn, resting_entry);
	receipt_ring_rest(&conn->ring);
	event_del(conn->readable);
	if (!timer_is_set(&share->timer))
		timer_set(&share->timer, rest_us);
	return 0;
}

static void
link_share_on_time(void *owner)
{
	struct link_share *share = owner;
	uint64_t rest_us = effort_rest_us(share->effort, clock_us());
	struct receipt_conn *conn;

	for (int i = 0; rest_us == 0 && i < LINK_SHARE_TURNS; i++) {
		conn = TAILQ_FIRST(&share->resting);
		if (conn == NULL)
			return;
		link_share_leave(share, conn);
		event_add(conn->readable, NULL);
		/* What is in its ring is no event. */
		event_active(conn->readable, EV_READ, 0);
	}
	timer_set(&share->timer, rest_us);
}

int
link_share_init(struct link_share *share, struct event_base *base,
    struct log *log, struct effort *effort, uid_t uid)
{
	*share = (struct link_share){.log = log, .effort = effort, .uid = uid};
	TAILQ_INIT(&share->resting);
	return timer_init(&share->timer, base, link_share_on_time, share);
}

void
link_share_done(struct link_share *share)
{
	timer_done(&share->timer);
}
