/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>

#include <stddef.h>

/* What one source has waiting. */
struct fair_share {
	TAILQ_ENTRY(fair_share) entry;
	size_t count;
};

/* Sources that have something waiting, the next one first. */
struct fair_ring {
	TAILQ_HEAD(, fair_share) shares;
	size_t count;   /* of all that waits */
	size_t sources; /* that have it */
};

void fair_ring_init(struct fair_ring *ring);

/* True if one more of that source may wait, where at most most wait in all.
 * One source may have as many as are left for the others: alone a half, two a
 * third each, and so on. */
int fair_ring_may_add(
    const struct fair_ring *ring, const struct fair_share *share, size_t most);

/* One more of that source waits. */
void fair_ring_add(struct fair_ring *ring, struct fair_share *share);

/* Returns the source that is next, or NULL. */
struct fair_share *fair_ring_next(const struct fair_ring *ring);

/* One of that source waits no more: others are next. */
void fair_ring_take(struct fair_ring *ring, struct fair_share *share);
