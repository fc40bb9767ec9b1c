/* SPDX-License-Identifier: ISC */
/*
 * The clock for time-outs, which never jumps.
 */
#include "base/clock.h"

#include <time.h>

uint64_t
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

int
clock_left_ms(uint64_t deadline_ms)
{
	uint64_t now = clock_ms();

	return deadline_ms > now ? (int)(deadline_ms - now) : 0;
}
