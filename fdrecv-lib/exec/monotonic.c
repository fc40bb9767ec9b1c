/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the time for timeouts.  Setting the system's clock does not
 * affect it.
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
