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

void
limited_log_line(struct log_ratelimit *limit, struct log *log, int priority,
    const char *format, ...)
{
	char text[LOG_LINE_MAX - 192], more[64] = "";
	uint64_t suppressed;
	va_list ap;

	if (!log_ratelimit_allows(limit, clock_ms(), &suppressed))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (suppressed != 0)
		snprintf(more, sizeof(more),
		    " (%" PRIu64 " more since the last line)", suppressed);
	log_line(log, priority, "%s%s", text, more);
}
