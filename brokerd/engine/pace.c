/* SPDX-License-Identifier: ISC */
/*
 * Two states, off and on, with hysteresis.  Few clients at a time can be fast
 * as well, but would only wait longer: what tells many from few is how many
 * connections are there at once.  Pure.
 */
#include "engine/pace.h"

#define PACE_INTERVAL_US 5000
#define PACE_RATE 5000 /* connections in a second, at least */
#define PACE_ON 3      /* connections in a round, and more */
#define PACE_OFF 2     /* and fewer, although the pause lets some gather */

unsigned int
pace_next_us(struct pace *pace, uint64_t now_us, const struct pace_count *count)
{
	uint64_t passed_us = now_us - pace->since_us;
	uint64_t accepted = count->accepted - pace->before.accepted;
	uint64_t rounds = count->rounds - pace->before.rounds;

	if (passed_us >= PACE_INTERVAL_US) {
		pace->on = accepted * 1000000 >= PACE_RATE * passed_us &&
		    accepted >= rounds * (pace->on ? PACE_OFF : PACE_ON);
		pace->since_us = now_us;
		pace->before = *count;
	}
	return pace->on ? PACE_PAUSE_US : 0;
}
