/* SPDX-License-Identifier: ISC */
/*
 * Off or on, with hysteresis.  Few clients at a time can be fast as well, but
 * would only wait longer: what tells many from few is how many connections are
 * there at once.  While it is on, a long pause is tried now and then, and stays
 * if as many come with it: where they do not, clients wait for the engine, and
 * the short one has to do.  Pure.
 */
#include "engine/pace.h"

#define PACE_INTERVAL_US 5000
#define PACE_LONGER 4  /* times that while it is on */
#define PACE_RATE 2000 /* connections in a second, at least */
#define PACE_ON 3      /* connections in a round, and more */
#define PACE_OFF 2     /* and fewer, although the pause lets some gather */
#define PACE_KEEP 10   /* intervals with the pause that was chosen */
#define PACE_LOSS 25   /* per cent that a long pause may cost */
#define PACE_LONE 7    /* rounds after one that brought a single connection */

unsigned int
pace_next_round(struct pace_lone *lone, unsigned int most, int pausing)
{
	if (lone->rounds == 0 || pausing)
		return most;
	lone->rounds--;
	return 1;
}

void
pace_on_round(struct pace_lone *lone, unsigned int most, unsigned int accepted)
{
	if (most > 1)
		lone->rounds = accepted == 1 ? PACE_LONE : 0;
}

/* An interval with a pause has ended, in which they came at that rate. */
static void
pace_choose(struct pace *pace, uint64_t rate)
{
	if (pace->keep > 0) {
		pace->keep--;
		if (pace->keep == 0)
			pace->pause_us = PACE_SHORT_US;
	} else if (pace->rate == 0) {
		pace->rate = rate; /* with the short one */
		pace->pause_us = PACE_LONG_US;
	} else {
		if (rate * 100 < pace->rate * (100 - PACE_LOSS))
			pace->pause_us = PACE_SHORT_US;
		pace->rate = 0;
		pace->keep = PACE_KEEP;
	}
}

unsigned int
pace_next_us(struct pace *pace, uint64_t now_us, const struct pace_count *count)
{
	uint64_t passed_us = now_us - pace->since_us;
	uint64_t accepted = count->accepted - pace->before.accepted;
	uint64_t rounds = count->rounds - pace->before.rounds;
	int on = pace->pause_us != 0;
	uint64_t rate;

	if (passed_us < PACE_INTERVAL_US * (on ? PACE_LONGER : 1))
		return pace->pause_us;
	rate = accepted * 1000000 / passed_us;
	pace->since_us = now_us;
	pace->before = *count;
	if (rate < PACE_RATE || accepted < rounds * (on ? PACE_OFF : PACE_ON)) {
		pace->pause_us = 0;
		pace->rate = 0;
		pace->keep = 0;
	} else if (on) {
		pace_choose(pace, rate);
	} else {
		pace->pause_us = PACE_SHORT_US;
	}
	return pace->pause_us;
}
