/* SPDX-License-Identifier: ISC */
/*
 * A limit of how often something may happen.  Pure.
 */
#include "engine/policy/rate.h"

int
rate_take(
    struct rate *rate, uint64_t now_us, uint32_t number, uint32_t period_s)
{
	uint64_t period_us = period_s * UINT64_C(1000000);
	uint64_t step_us = number == 0 ? period_us : period_us / number;
	uint64_t full_us = rate->full_us > now_us ? rate->full_us : now_us;

	if (number == 0 || full_us - now_us > period_us - step_us)
		return 0;
	rate->full_us = full_us + step_us;
	return 1;
}

int
rate_is_full(const struct rate *rate, uint64_t now_us)
{
	return rate->full_us <= now_us;
}
