/* SPDX-License-Identifier: ISC */
/*
 * Off or on, with hysteresis.  Few clients at a time can be fast as well, but
 * would only wait longer: what tells many from few is how many connections are
 * there at once.  While it is on, a long pause is tried now and then, and stays
 * if as many come with it: where they do not, clients wait for the engine, and
 * the short one has to do.  Pure.
 */
#include "engine/policy/coalesce.h"

#define COALESCE_INTERVAL_US 5000
#define COALESCE_LONGER 4  /* times that while it is on */
#define COALESCE_RATE 2000 /* connections in a second, at least */
#define COALESCE_ON 3      /* connections in a round, and more */
#define COALESCE_OFF 2     /* and fewer, although the pause lets some gather */
#define COALESCE_KEEP 10   /* intervals with the pause that was chosen */
#define COALESCE_LOSS 25   /* per cent that a long pause may cost */
#define COALESCE_LONE                                          \
	7 /* rounds after one that brought a single connection \
	   */

unsigned int
coalesce_next_round(struct coalesce_lone *lone, unsigned int most, int pausing)
{
	if (lone->rounds == 0 || pausing)
		return most;
	lone->rounds--;
	return 1;
}

void
coalesce_on_round(
    struct coalesce_lone *lone, unsigned int most, unsigned int accepted)
{
	if (most > 1)
		lone->rounds = accepted == 1 ? COALESCE_LONE : 0;
}

/* An interval with a pause has ended, in which they came at that rate. */
static void
coalesce_choose(struct coalesce *pace, uint64_t rate)
{
	if (pace->keep > 0) {
		pace->keep--;
		if (pace->keep == 0)
			pace->pause_us = COALESCE_SHORT_US;
	} else if (pace->rate == 0) {
		pace->rate = rate; /* with the short one */
		pace->pause_us = COALESCE_LONG_US;
	} else {
		if (rate * 100 < pace->rate * (100 - COALESCE_LOSS))
			pace->pause_us = COALESCE_SHORT_US;
		pace->rate = 0;
		pace->keep = COALESCE_KEEP;
	}
}

unsigned int
coalesce_next_us(
    struct coalesce *pace, uint64_t now_us, const struct coalesce_count *count)
{
	uint64_t passed_us = now_us - pace->since_us;
	uint64_t accepted = count->accepted - pace->before.accepted;
	uint64_t rounds = count->rounds - pace->before.rounds;
	int on = pace->pause_us != 0;
	uint64_t rate;

	if (passed_us < COALESCE_INTERVAL_US * (on ? COALESCE_LONGER : 1))
		return pace->pause_us;
	rate = accepted * 1000000 / passed_us;
	pace->since_us = now_us;
	pace->before = *count;
	if (rate < COALESCE_RATE ||
	    accepted < rounds * (on ? COALESCE_OFF : COALESCE_ON)) {
		pace->pause_us = 0;
		pace->rate = 0;
		pace->keep = 0;
	} else if (on) {
		coalesce_choose(pace, rate);
	} else {
		pace->pause_us = COALESCE_SHORT_US;
	}
	return pace->pause_us;
}
