/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the time, for what it does later or not for ever.  No clock
 * that somebody sets.
 */
#include "exec/monotonic.h"

#include <time.h>

long long
monotonic_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
