/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POLICY_LOG_RATELIMIT_H
#define ENGINE_POLICY_LOG_RATELIMIT_H

#include "base/log.h"

#include <stdint.h>

/* At most one line a second of one kind; the rest are counted. */
struct log_ratelimit {
	uint64_t next_ms;
	uint64_t suppressed;
};

/* Writes a line as log_line() does, if one may be written now.  It ends with
 * how many were not since the last one, if any. */
void log_ratelimit_line(struct log_ratelimit *limit, struct log *log,
    int priority, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
