/* SPDX-License-Identifier: ISC */
/*
 * Rate limit of log lines: load must not become a flood of them.
 */
#include "engine/policy/log_ratelimit.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void
log_ratelimit_line(struct log_ratelimit *limit, struct log *log, int priority,
    const char *format, ...)
{
	char text[LOG_LINE_MAX - 192], more[64] = "";
	uint64_t now = clock_ms();
	va_list ap;

	if (now < limit->next_ms) {
		limit->suppressed++;
		return;
	}
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (limit->suppressed != 0)
		snprintf(more, sizeof(more),
		    " (%" PRIu64 " more since the last line)",
		    limit->suppressed);
	log_line(log, priority, "%s%s", text, more);
	*limit = (struct log_ratelimit){.next_ms = now + 1000};
}
