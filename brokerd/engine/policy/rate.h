/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* A token bucket, as the time when it will be full again; all zeros is
 * full. */
struct rate {
	uint64_t full_us;
};

/* Takes a token at now_us from a bucket that has room for so many, and fills in
 * that time.  True if there was one. */
int rate_take(
    struct rate *rate, uint64_t now_us, uint32_t number, uint32_t period_s);

/* True if it is full, as one that was never used. */
int rate_is_full(const struct rate *rate, uint64_t now_us);
