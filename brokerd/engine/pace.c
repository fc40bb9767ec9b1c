/* SPDX-License-Identifier: ISC */
/*
 * Two states, off and on, by the rate of arrivals, with hysteresis.  Pure.
 */
#include "engine/pace.h"

#define PACE_INTERVAL_US 5000
#define PACE_ON 20000  /* connections in a second, and more */
#define PACE_OFF 10000 /* and fewer */

unsigned int
pace_next_us(struct pace *pace, uint64_t now_us, uint64_t accepted)
{
	uint64_t passed = now_us - pace->since_us;
	uint64_t rate;

	if (passed >= PACE_INTERVAL_US) {
		rate = (accepted - pace->accepted) * 1000000 / passed;
		pace->on = rate >= (pace->on ? PACE_OFF : PACE_ON);
		pace->since_us = now_us;
		pace->accepted = accepted;
	}
	return pace->on ? PACE_PAUSE_US : 0;
}
