/* SPDX-License-Identifier: ISC */
/*
 * The adaptive window: each quick receipt makes it larger by one, a slow one
 * makes it 1, and while one is overdue it is closed.  A window that opened some
 * time ago says nothing about a worker that hangs since then, so it counts only
 * while receipts come.  Pure.
 */
#include "engine/policy/window.h"

#define WINDOW_QUICK_US 5000
#define WINDOW_SLOW_US 50000

void
window_init(struct window *window)
{
	window->size = 1;
	window->is_quick = 0;
}

void
window_on_receipt(struct window *window, uint64_t age_us, uint32_t limit)
{
	window->is_quick = age_us <= WINDOW_QUICK_US;
	if (age_us > WINDOW_SLOW_US)
		window->size = 1;
	else if (window->is_quick && window->size < limit)
		window->size++;
}

size_t
window_room(const struct window *window, size_t outstanding, uint64_t oldest_us,
    uint64_t silence_us, uint32_t limit)
{
	size_t size = window->size < limit ? window->size : limit;

	if (outstanding > 0 &&
	    (oldest_us > WINDOW_SLOW_US || silence_us > WINDOW_QUICK_US))
		return 0;
	return size > outstanding ? size - outstanding : 0;
}
