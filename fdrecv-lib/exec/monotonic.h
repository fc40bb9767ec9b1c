/* SPDX-License-Identifier: ISC */
#pragma once

#include <time.h>

/* Milliseconds of CLOCK_MONOTONIC, for timeouts. */
static inline long long
monotonic_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until then, for poll(2); 0 if it is over. */
static inline int
monotonic_left_ms(long long end_ms)
{
	long long left_ms = end_ms - monotonic_now_ms();

	return left_ms > 0 ? (int)left_ms : 0;
}
