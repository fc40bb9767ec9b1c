/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POLICY_SHARE_H
#define ENGINE_POLICY_SHARE_H

#include <stddef.h>
#include <stdint.h>

/* What decides whose turn it is among the workers of a pool. */
struct share {
	uint32_t weight;
	uint64_t pass; /* what it was given, each divided by its weight */
};

/* Begins where the others are: base is the least pass among them, or 0. */
void share_init(struct share *turn, uint32_t weight, uint64_t base);

/* One more was given to it. */
void share_take(struct share *turn);

/* True if a comes before b, with so many hand-offs outstanding each.  Equal
 * weights share by what is outstanding, others by weight; among equals the
 * caller's order decides. */
int share_is_before(const struct share *a, size_t a_outstanding,
    const struct share *b, size_t b_outstanding);

#endif
