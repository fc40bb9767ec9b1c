/* SPDX-License-Identifier: ISC */
/*
 * Whose turn it is.  Pure.  By weight it is stride scheduling: the one that
 * has had least in proportion to its weight comes next.
 */
#include "engine/policy/share.h"

#define SHARE_STRIDE 1000000

void
share_init(struct share *turn, uint32_t weight, uint64_t base)
{
	*turn = (struct share){.weight = weight, .pass = base};
}

void
share_take(struct share *turn)
{
	turn->pass += SHARE_STRIDE / turn->weight;
}

int
share_is_before(const struct share *a, size_t a_outstanding,
    const struct share *b, size_t b_outstanding)
{
	if (a->weight == b->weight)
		return a_outstanding < b_outstanding;
	return a->pass < b->pass;
}
