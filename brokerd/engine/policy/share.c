/* SPDX-License-Identifier: ISC */
/*
 * Shares out connections among workers by weight: stride scheduling, where the
 * next one goes to the worker that has had the least in proportion to its
 * weight.  Pure.
 */
#include "engine/policy/share.h"

#define SHARE_STRIDE 1000000

void
share_init(struct share *share, uint32_t weight, uint64_t base)
{
	*share = (struct share){.weight = weight, .pass = base};
}

void
share_take(struct share *share)
{
	share->pass += SHARE_STRIDE / share->weight;
}

int
share_is_before(const struct share *a, size_t a_outstanding,
    const struct share *b, size_t b_outstanding)
{
	if (a->weight == b->weight)
		return a_outstanding < b_outstanding;
	return a->pass < b->pass;
}
