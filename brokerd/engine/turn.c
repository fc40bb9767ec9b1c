/* SPDX-License-Identifier: ISC */
/*
 * Whose turn it is.  Pure.  By weight it is stride scheduling: the one that
 * has had least in proportion to its weight comes next.
 */
#include "engine/turn.h"

#define TURN_STRIDE 1000000

void
turn_init(struct turn *turn, uint32_t weight, uint64_t base)
{
	*turn = (struct turn){.weight = weight, .pass = base};
}

void
turn_take(struct turn *turn)
{
	turn->pass += TURN_STRIDE / turn->weight;
}

int
turn_is_before(const struct turn *a, size_t a_outstanding, const struct turn *b,
    size_t b_outstanding)
{
	if (a->weight == b->weight)
		return a_outstanding < b_outstanding;
	return a->pass < b->pass;
}
