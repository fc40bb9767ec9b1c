/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A worker's share of the connections of its pool. */
struct share {
	uint32_t weight;
	uint64_t pass; /* sum of 1/weight over the hand-offs it was given */
};

/* Starts at base, the least pass in the pool, so that a new worker does not
 * get all that it missed. */
void share_init(struct share *share, uint32_t weight, uint64_t base);

/* Counts one hand-off. */
void share_take(struct share *share);

/* True if a is to get the next hand-off rather than b.  Between equal weights
 * the number of outstanding hand-offs decides, otherwise the pass; if these
 * are equal too, neither comes before the other. */
int share_is_before(const struct share *a, size_t a_outstanding,
    const struct share *b, size_t b_outstanding);
