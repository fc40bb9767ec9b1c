/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LIMIT_H
#define ENGINE_LIMIT_H

#include <stdint.h>

/* At most one line a second of one kind; the rest are counted. */
struct limit {
	uint64_t next_ms;
	uint64_t suppressed;
};

/* True if a line may be written now.  Then *out_suppressed is how many were
 * not since the last one. */
int limit_allows(struct limit *limit, unsigned long long *out_suppressed);

#endif
