/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"

#include <stdint.h>

/* At most one log line a second of one kind; the rest are counted. */
struct limited_log {
	uint64_t next_ms;
	uint64_t suppressed;
};

/* Writes a line as log_line() does, if limit allows one now.  It ends with the
 * number of lines that were suppressed since the last one, if any.  True if it
 * was written. */
int limited_log_line(struct limited_log *limit, struct log *log, int priority,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
