/* SPDX-License-Identifier: ISC */
/*
 * Log lines about clients and workers, who can cause many of them.  Engine,
 * unprivileged.
 */
#include "engine/handoff/limited_log.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define LIMITED_LOG_MS 1000

int
limited_log_line(struct limited_log *limit, struct log *log, int priority,
    const char *format, ...)
{
	char text[LOG_LINE_MAX - 192], more[64] = "";
	uint64_t now_ms = clock_ms();
	va_list ap;

	if (now_ms < limit->next_ms) {
		limit->suppressed++;
		return 0;
	}
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (limit->suppressed != 0)
		snprintf(more, sizeof(more),
		    " (%" PRIu64 " more since the last line)",
		    limit->suppressed);
	*limit = (struct limited_log){.next_ms = now_ms + LIMITED_LOG_MS};
	log_line(log, priority, "%s%s", text, more);
	return 1;
}
