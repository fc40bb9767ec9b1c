/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How many hand-offs without a receipt a worker may have: few for a slow one,
 * so that no queue forms behind it. */
struct window {
	uint32_t size;
	int is_quick; /* the last receipt */
};

void window_init(struct window *window);

/* A receipt came, age_us after its hand-off was sent.  limit is the largest
 * size that the configuration allows. */
void window_on_receipt(struct window *window, uint64_t age_us, uint32_t limit);

/* Returns how many more may be sent, if outstanding ones lack a receipt and the
 * oldest of them was sent oldest_us ago, and the last receipt came silence_us
 * ago. */
size_t window_room(const struct window *window, size_t outstanding,
    uint64_t oldest_us, uint64_t silence_us, uint32_t limit);
