/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* At most one log line a second of one kind; the rest are counted. */
struct log_ratelimit {
	uint64_t next_ms;
	uint64_t suppressed;
};

/* True if a line may be written now.  Then *out_suppressed is how many were
 * not, since the last one. */
int log_ratelimit_allows(
    struct log_ratelimit *limit, uint64_t now_ms, uint64_t *out_suppressed);
