/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include <stddef.h>
#include <stdint.h>

/* What decides whose turn it is among the workers of a pool. */
struct turn {
	uint32_t weight;
	uint64_t pass; /* what it was given, each divided by its weight */
};

/* Begins where the others are: base is the least pass among them, or 0. */
void turn_init(struct turn *turn, uint32_t weight, uint64_t base);

/* One more was given to it. */
void turn_take(struct turn *turn);

/* True if a comes before b, with so many hand-offs outstanding each.  Equal
 * weights share by what is outstanding, others by weight; among equals the
 * caller's order decides. */
int turn_is_before(const struct turn *a, size_t a_outstanding,
    const struct turn *b, size_t b_outstanding);

#endif
