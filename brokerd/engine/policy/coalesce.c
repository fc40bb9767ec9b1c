/* SPDX-License-Identifier: ISC */
/*
 * Turns the pause on and off, with hysteresis.  A few fast clients would only
 * wait longer, so the number of connections that are there at once decides,
 * not the rate alone: those that workers have not confirmed.  While the pause
 * is on, a long one is tried now and then. It stays if as many connections come
 * as before; if fewer come, the clients wait for the engine, and the short one
 * is used.  Pure.
 */
#include "engine/policy/coalesce.h"

#define COALESCE_INTERVAL_US 5000
#define COALESCE_LONGER 4  /* times that while the pause is on */
#define COALESCE_RATE 2000 /* connections in a second: below, off */
#define COALESCE_ON 32     /* connections at once: from there, on */
#define COALESCE_OFF 16    /* below, off */
#define COALESCE_KEEP 10   /* intervals with the pause that was chosen */
#define COALESCE_LOSS 25   /* per cent of the rate a long pause may cost */
#define COALESCE_LONE 7 /* rounds that accept one, after one that found one */

unsigned int
coalesce_next_round(struct coalesce_lone *lone, unsigned int most, int pausing)
{
	if (lone->rounds == 0 || pausing) {
		lone->none_waits = 0;
		return most;
	}
	lone->rounds--;
	return 1;
}

void
coalesce_on_round(
    struct coalesce_lone *lone, unsigned int most, unsigned int accepted)
{
	if (most > 1)
		lone->rounds = accepted == 1 ? COALESCE_LONE : 0;
	lone->none_waits = lone->rounds > 0;
}

void
coalesce_on_event(
    struct coalesce_count *count, uint64_t before, uint64_t unreceipted)
{
	uint64_t accepted = count->accepted - before;

	if (accepted == 0)
		return;
	count->rounds++;
	count->present += accepted > unreceipted ? accepted : unreceipted;
}

/* An interval with a pause has ended; connections came at that rate. */
static void
coalesce_choose(struct coalesce *coalesce, uint64_t rate)
{
	if (coalesce->keep > 0) {
		coalesce->keep--;
		if (coalesce->keep == 0)
			coalesce->pause_us = COALESCE_SHORT_US;
	} else if (coalesce->rate == 0) {
		coalesce->rate = rate; /* with the short one */
		coalesce->pause_us = COALESCE_LONG_US;
	} else {
		if (rate * 100 < coalesce->rate * (100 - COALESCE_LOSS))
			coalesce->pause_us = COALESCE_SHORT_US;
		coalesce->rate = 0;
		coalesce->keep = COALESCE_KEEP;
	}
}

unsigned int
coalesce_next_us(struct coalesce *coalesce, uint64_t now_us,
    const struct coalesce_count *count)
{
	uint64_t passed_us = now_us - coalesce->since_us;
	uint64_t accepted = count->accepted - coalesce->before.accepted;
	uint64_t rounds = count->rounds - coalesce->before.rounds;
	uint64_t present = count->present - coalesce->before.present;
	int on = coalesce->pause_us != 0;
	uint64_t rate;

	if (passed_us < COALESCE_INTERVAL_US * (on ? COALESCE_LONGER : 1))
		return coalesce->pause_us;
	rate = accepted * 1000000 / passed_us;
	coalesce->since_us = now_us;
	coalesce->before = *count;
	if (rate < COALESCE_RATE ||
	    present < rounds * (on ? COALESCE_OFF : COALESCE_ON)) {
		coalesce->pause_us = 0;
		coalesce->rate = 0;
		coalesce->keep = 0;
	} else if (on) {
		coalesce_choose(coalesce, rate);
	} else {
		coalesce->pause_us = COALESCE_SHORT_US;
	}
	return coalesce->pause_us;
}
