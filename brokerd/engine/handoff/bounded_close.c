/* SPDX-License-Identifier: ISC */
/*
 * A limit for the time that close(2) takes.  Engine, unprivileged.  Setting and
 * lifting the limit for each close would cost more than most closes do, so it
 * stays in force until a timer finds it unused.  A slow close may be the first
 * of many, so after it the limit is short for a while.
 */
#include "engine/handoff/bounded_close.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/ledger.h"

#define BOUNDED_CLOSE_SHORT_US 200
#define BOUNDED_CLOSE_SLOW_US 1000 /* others take a few microseconds */
#define BOUNDED_CLOSE_SUSPECT 100  /* closes with the short limit */
#define BOUNDED_CLOSE_IDLE_US 4000 /* before the first signal comes */

static void
bounded_close_on_idle(void *owner)
{
	struct bounded_close *bounded = owner;

	if (!bounded->used)
		bounded_close_stop(bounded);
	else
		timer_set(&bounded->idle, BOUNDED_CLOSE_IDLE_US);
	bounded->used = 0;
}

int
bounded_close_init(struct bounded_close *bounded, struct event_base *base,
    struct ledger *ledger)
{
	*bounded = (struct bounded_close){.ledger = ledger};
	return timer_init(&bounded->idle, base, bounded_close_on_idle, bounded);
}

void
bounded_close_done(struct bounded_close *bounded)
{
	if (bounded->limited)
		bounded_close_stop(bounded);
	timer_done(&bounded->idle);
}

void
bounded_close_stop(struct bounded_close *bounded)
{
	fd_limit_close(0);
	bounded->limited = 0;
	timer_stop(&bounded->idle);
}

void
bounded_close_begin(struct bounded_close *bounded)
{
	bounded->used = bounded->limited;
	if (!bounded->limited) {
		bounded->limited = 1;
		fd_limit_close(bounded->suspect > 0 ? BOUNDED_CLOSE_SHORT_US :
						      BOUNDED_CLOSE_US);
		timer_set(&bounded->idle, BOUNDED_CLOSE_IDLE_US);
	}
	bounded->begun_us = clock_us();
}

/* A signal may end a close at once.  With the short limit there are many
 * signals, so it is not set for less. */
void
bounded_close_end(struct bounded_close *bounded)
{
	uint64_t now_us = clock_us();

	bounded->spent_us += now_us - bounded->begun_us;
	if (bounded->suspect > 0) {
		if (--bounded->suspect == 0)
			fd_limit_close(BOUNDED_CLOSE_US);
		return;
	}
	if (now_us < bounded->begun_us + BOUNDED_CLOSE_SLOW_US)
		return;
	bounded->suspect = BOUNDED_CLOSE_SUSPECT;
	fd_limit_close(BOUNDED_CLOSE_SHORT_US);
}

int
bounded_close_fd(struct bounded_close *bounded, int fd)
{
	ledger_before_close(bounded->ledger, fd);
	bounded_close_begin(bounded);
	fd_close(fd);
	bounded_close_end(bounded);
	ledger_after_close(bounded->ledger, fd);
	return -1;
}
