/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "engine/policy/log_ratelimit.h"

/* Writes a line as log_line() does, if limit allows one now.  It ends with the
 * number of lines that were suppressed since the last one, if any. */
void limited_log_line(struct log_ratelimit *limit, struct log *log,
    int priority, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
