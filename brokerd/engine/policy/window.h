/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POLICY_WINDOW_H
#define ENGINE_POLICY_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* How many hand-offs a worker may hold without a receipt: few for a slow one,
 * so that no queue forms behind it. */
struct window {
	uint32_t size;
};

void window_init(struct window *window);

/* A receipt came, that long after its hand-off was sent.  limit is the most
 * that the configuration allows. */
void window_on_receipt(struct window *window, uint64_t age_us, uint32_t limit);

/* How many more may be sent, with outstanding ones of which the oldest is that
 * old. */
size_t window_room(const struct window *window, size_t outstanding,
    uint64_t oldest_us, uint32_t limit);

#endif
