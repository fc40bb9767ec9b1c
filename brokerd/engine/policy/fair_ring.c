/* SPDX-License-Identifier: ISC */
/*
 * Whose turn it is among sources that wait, whatever each has.  Pure.
 */
#include "engine/policy/fair_ring.h"

void
fair_ring_init(struct fair_ring *ring)
{
	*ring = (struct fair_ring){.count = 0};
	TAILQ_INIT(&ring->shares);
}

int
fair_ring_may_add(
    const struct fair_ring *ring, const struct fair_share *share, size_t most)
{
	return ring->count < most &&
	    (share->count == 0 || share->count < most - ring->count);
}

void
fair_ring_add(struct fair_ring *ring, struct fair_share *share)
{
	ring->count++;
	if (share->count++ > 0)
		return;
	ring->sources++;
	TAILQ_INSERT_TAIL(&ring->shares, share, entry);
}

struct fair_share *
fair_ring_next(const struct fair_ring *ring)
{
	return TAILQ_FIRST(&ring->shares);
}

void
fair_ring_take(struct fair_ring *ring, struct fair_share *share)
{
	ring->count--;
	TAILQ_REMOVE(&ring->shares, share, entry);
	if (--share->count > 0)
		TAILQ_INSERT_TAIL(&ring->shares, share, entry);
	else
		ring->sources--;
}
