/* SPDX-License-Identifier: ISC */
/*
 * Reloads that the engine itself asks for, to have sockets bound anew.  Engine,
 * unprivileged.  A reload replaces the engine, so the time of the last request
 * is kept in the memory that engines share.  Another engine may have written
 * anything there: at worst, this one asks some minutes late.
 */
#include "engine/listener/rebind.h"

#include "base/clock.h"
#include "channel/channel.h"

#include <string.h>

#define REBIND_SPACE_MS 10000  /* between reloads that help */
#define REBIND_AGAIN_MS 300000 /* after one that has not */

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

	rebind->persistent->mailboxes->rebind_ms = now;
	if (channel_send(rebind->channel, CHANNEL_RELOAD, NULL, -1) == 0)
		log_line(rebind->log, LOG_NOTICE,
		    "asking for a reload, which binds sockets anew");
	/* If the reload succeeds, this engine ends. */
	rebind_set(rebind, now, REBIND_AGAIN_MS);
}

int
rebind_init(struct rebind *rebind, struct event_base *base, int channel,
    struct log *log, struct persistent *persistent)
{
	*rebind = (struct rebind){
	    .channel = channel, .log = log, .persistent = persistent};
	return timer_init(&rebind->ask, base, rebind_on_time, rebind);
}

void
rebind_ask(struct rebind *rebind, int at_start)
{
	uint64_t now = clock_ms(), last, due;

	if (rebind->ask.event == NULL)
		return;
	last = rebind->persistent->mailboxes->rebind_ms;
	due = at_start ? REBIND_AGAIN_MS : REBIND_SPACE_MS;
	due = last == 0 || last > now || now - last >= due ? 0 :
							     due - (now - last);
	if (!timer_is_set(&rebind->ask) || now + due < rebind->ask_ms)
		rebind_set(rebind, now, due);
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
