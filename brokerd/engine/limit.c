/* SPDX-License-Identifier: ISC */
/*
 * Rate limit of log lines: load must not become a flood of them.
 */
#include "engine/limit.h"

#include "base/clock.h"

int
limit_allows(struct limit *limit, unsigned long long *out_suppressed)
{
	uint64_t now = clock_ms();

	if (now < limit->next_ms) {
		limit->suppressed++;
		return 0;
	}
	*out_suppressed = limit->suppressed;
	*limit = (struct limit){.next_ms = now + 1000};
	return 1;
}
