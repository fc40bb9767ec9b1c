/* SPDX-License-Identifier: ISC */
/*
 * Exponential backoff with jitter.  Pure.
 */
#include "engine/policy/backoff.h"

void
backoff_reset(struct backoff *backoff)
{
	backoff->step_ms = 0;
}

unsigned int
backoff_next_us(struct backoff *backoff, uint32_t random)
{
	unsigned int half_us;

	if (backoff->step_ms == 0)
		backoff->step_ms = BACKOFF_MIN_MS;
	else if (backoff->step_ms > BACKOFF_MAX_MS / 2)
		backoff->step_ms = BACKOFF_MAX_MS;
	else
		backoff->step_ms *= 2;
	half_us = backoff->step_ms * 500;
	return half_us + random % (half_us + 1);
}
