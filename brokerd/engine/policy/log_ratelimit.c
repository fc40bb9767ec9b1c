/* SPDX-License-Identifier: ISC */
/*
 * Rate limit of log lines: under load the log must not overflow.  Pure.
 */
#include "engine/policy/log_ratelimit.h"

#define LOG_RATELIMIT_MS 1000

int
log_ratelimit_allows(
    struct log_ratelimit *limit, uint64_t now_ms, uint64_t *out_suppressed)
{
	if (now_ms < limit->next_ms) {
		limit->suppressed++;
		return 0;
	}
	*out_suppressed = limit->suppressed;
	*limit = (struct log_ratelimit){.next_ms = now_ms + LOG_RATELIMIT_MS};
	return 1;
}
