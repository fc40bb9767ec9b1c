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
