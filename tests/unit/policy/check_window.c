/* SPDX-License-Identifier: ISC */
/*
 * The adaptive window: how it opens, how it closes, and the room that is left.
 */
#include "fixture/unit.h"

#include "engine/policy/window.h"

#define LIMIT 64

/* A window after so many quick receipts. */
static struct window
opened(unsigned int receipts)
{
	struct window window;

	window_init(&window);
	for (unsigned int i = 0; i < receipts; i++)
		window_on_receipt(&window, 0, LIMIT);
	return window;
}

static size_t
room(const struct window *window)
{
	return window_room(window, 0, 0, 0, LIMIT);
}

START_TEST(a_new_worker_gets_one)
{
	struct window window = {.size = 1000};

	window_init(&window);
	ck_assert_uint_eq(window_room(&window, 0, 0, 0, LIMIT), 1);
	ck_assert_uint_eq(window_room(&window, 1, 0, 0, LIMIT), 0);
}
END_TEST

START_TEST(each_quick_receipt_opens_it_by_one_up_to_the_limit)
{
	struct window window = opened(0);

	for (unsigned int i = 1; i < LIMIT; i++) {
		ck_assert_uint_eq(room(&window), i);
		window_on_receipt(&window, 5000, LIMIT);
	}
	ck_assert_uint_eq(room(&window), LIMIT);
	window_on_receipt(&window, 5000, LIMIT);
	ck_assert_uint_eq(window_room(&window, 0, 0, 0, UINT32_MAX), LIMIT);
}
END_TEST

static const struct {
	uint64_t age_us;
	size_t room; /* of a window of ten */
} ages[] = {
    {0, 11},
    {1, 11},
    {5000, 11},
    {5001, 10},
    {49999, 10},
    {50000, 10},
    {50001, 1},
    {UINT64_C(1) << 32, 1}, /* 71 minutes */
    {UINT64_MAX, 1},
};

START_TEST(within_5_ms_is_quick_and_over_50_ms_is_slow)
{
	struct window window = opened(9);

	ck_assert_uint_eq(room(&window), 10);
	window_on_receipt(&window, ages[_i].age_us, LIMIT);
	ck_assert_uint_eq(room(&window), ages[_i].room);
}
END_TEST

START_TEST(after_a_slow_receipt_it_opens_anew)
{
	struct window window = opened(40);

	window_on_receipt(&window, 60000, LIMIT);
	ck_assert_uint_eq(room(&window), 1);
	window_on_receipt(&window, 100, LIMIT);
	ck_assert_uint_eq(room(&window), 2);
}
END_TEST

static const struct {
	size_t outstanding;
	uint64_t oldest_us;
	uint32_t limit;
	size_t room; /* unconfirmed, in a window of ten */
} rooms[] = {
    {0, 0, LIMIT, 10},
    {1, 0, LIMIT, 9},
    {9, 0, LIMIT, 1},
    {10, 0, LIMIT, 0},
    {11, 0, LIMIT, 0},
    {SIZE_MAX, 0, LIMIT, 0},
    {1, 50000, LIMIT, 9},
    {1, 50001, LIMIT, 0}, /* one receipt is overdue */
    {9, UINT64_MAX, LIMIT, 0},
    {0, 50001, LIMIT, 10}, /* nothing can be overdue */
    {0, 0, 10, 10},
    {0, 0, 9, 9}, /* the configuration allows less */
    {3, 0, 4, 1},
    {5, 0, 4, 0},
    {0, 0, 1, 1},
    {1, 0, 1, 0},
    {0, 0, UINT32_MAX, 10},
};

START_TEST(what_lacks_a_receipt_takes_room_and_all_of_it_when_overdue)
{
	struct window window = opened(9);

	ck_assert_uint_eq(window_room(&window, rooms[_i].outstanding,
			      rooms[_i].oldest_us, 0, rooms[_i].limit),
	    rooms[_i].room);
}
END_TEST

/* It hangs, perhaps: one connection is enough to find out. */
START_TEST(a_worker_that_is_silent_gets_one_only)
{
	struct window window = opened(9);

	ck_assert_uint_eq(window_room(&window, 0, 0, 5001, LIMIT), 10);
	ck_assert_uint_eq(window_room(&window, 1, 0, 5001, LIMIT), 0);
	ck_assert_uint_eq(window_room(&window, 1, 0, 5000, LIMIT), 9);
}
END_TEST

START_TEST(a_limit_of_one_is_never_exceeded)
{
	struct window window = opened(0);

	for (unsigned int i = 0; i < 10; i++)
		window_on_receipt(&window, 0, 1);
	ck_assert_uint_eq(room(&window), 1);
}
END_TEST

UNIT_SUITE(window)
{
	TCase *tc = unit_case(suite, "window");

	tcase_add_test(tc, a_new_worker_gets_one);
	tcase_add_test(tc, each_quick_receipt_opens_it_by_one_up_to_the_limit);
	tcase_add_loop_test(tc, within_5_ms_is_quick_and_over_50_ms_is_slow, 0,
	    (int)UNIT_COUNT(ages));
	tcase_add_test(tc, after_a_slow_receipt_it_opens_anew);
	tcase_add_loop_test(tc,
	    what_lacks_a_receipt_takes_room_and_all_of_it_when_overdue, 0,
	    (int)UNIT_COUNT(rooms));
	tcase_add_test(tc, a_worker_that_is_silent_gets_one_only);
	tcase_add_test(tc, a_limit_of_one_is_never_exceeded);
}
