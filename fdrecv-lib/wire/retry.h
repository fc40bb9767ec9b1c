/* SPDX-License-Identifier: ISC */
#pragma once

#include <errno.h>
#include <poll.h>

#define RETRY_TRIES 10 /* a millisecond each */

/* After a call that failed for want of memory, or that another thread was in
 * the way of: waits for a millisecond and returns 1, *tries times, else 0.
 * Keeps errno. */
static inline int
retry_wait(int *tries)
{
	int saved = errno;

	if (*tries == 0)
		return 0;
	--*tries;
	poll(NULL, 0, 1);
	errno = saved;
	return 1;
}
