/* SPDX-License-Identifier: ISC */
/*
 * Reloads that the engine itself asks for, to have sockets bound anew.  Engine,
 * unprivileged.  A worker that shuts down its sockets again and again must not
 * replace the engine as often, so after some reloads there is one in a minute.
 * As each replaces the engine, the next engine takes over the time.  A hostile
 * engine may have left anything: a time that cannot be is ignored.
 */
#include "engine/listener/rebind.h"

#include "base/clock.h"

#include <string.h>

#define REBIND_SPACE_MS 60000  /* between reloads, on average */
#define REBIND_BURST_MS 300000 /* so many of these may be ahead of time */
#define REBIND_AGAIN_MS 300000 /* after a reload that has not helped */

/* Until when earlier reloads are to last, now if that is over. */
static uint64_t
rebind_lasts_ms(const struct rebind *rebind, uint64_t now)
{
	uint64_t until = rebind->persistent->rebind_ms;

	return until < now || until > now + REBIND_BURST_MS + REBIND_SPACE_MS ?
	    now :
	    until;
}

static void
rebind_set(struct rebind *rebind, uint64_t now, uint64_t delay_ms)
{
	rebind->ask_ms = now + delay_ms;
	timer_set(&rebind->ask, delay_ms * 1000);
}

static void
rebind_on_time(void *owner)
{
	struct rebind *rebind = owner;
	uint64_t now = clock_ms();

	rebind->persistent->rebind_ms =
	    rebind_lasts_ms(rebind, now) + REBIND_SPACE_MS;
	if (requests_send(rebind->requests, CHANNEL_RELOAD) == 0)
		log_line(rebind->log, LOG_NOTICE,
		    "asking for a reload, which mends this");
	/* If the reload succeeds, this engine ends. */
	rebind_set(rebind, now, REBIND_AGAIN_MS);
}

int
rebind_init(struct rebind *rebind, struct event_base *base,
    struct requests *requests, struct log *log, struct persistent *persistent)
{
	*rebind = (struct rebind){
	    .requests = requests, .log = log, .persistent = persistent};
	return timer_init(&rebind->ask, base, rebind_on_time, rebind);
}

void
rebind_ask(struct rebind *rebind, int at_start)
{
	uint64_t now = clock_ms(), until, due = 0;

	if (rebind->ask.event == NULL)
		return;
	until = rebind_lasts_ms(rebind, now);
	if (at_start && until > now)
		due = REBIND_AGAIN_MS;
	else if (until > now + REBIND_BURST_MS)
		due = until - now - REBIND_BURST_MS;
	if (!timer_is_set(&rebind->ask) || now + due < rebind->ask_ms)
		rebind_set(rebind, now, due);
}

void
rebind_on_keeper_end(void *owner)
{
	rebind_ask(owner, 0);
}

void
rebind_stop(struct rebind *rebind)
{
	if (rebind->ask.event != NULL)
		timer_stop(&rebind->ask);
}

void
rebind_done(struct rebind *rebind)
{
	timer_done(&rebind->ask);
}
