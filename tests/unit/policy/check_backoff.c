/* SPDX-License-Identifier: ISC */
/*
 * Backoff: the steps, the random spread of each, and the reset.
 */
#include "fixture/unit.h"

#include "engine/policy/backoff.h"

/* 1 ms, doubling to 100 ms. */
static const unsigned int steps_ms[] = {1, 2, 4, 8, 16, 32, 64, 100, 100, 100};

static const uint32_t randoms[] = {0, 1, 499, 500, 501, 31999, 32000, 49999,
    50000, 50001, 123456789, INT32_MAX, UINT32_MAX - 1, UINT32_MAX};

START_TEST(steps_double_from_one_millisecond_to_a_hundred)
{
	struct backoff backoff = {0};

	for (size_t i = 0; i < UNIT_COUNT(steps_ms); i++) {
		/* The largest wait of a step is the step itself. */
		uint32_t most = steps_ms[i] * 1000 / 2;

		ck_assert_uint_eq(
		    backoff_next_us(&backoff, most), steps_ms[i] * 1000);
	}
}
END_TEST

START_TEST(no_wait_is_shorter_than_half_a_step)
{
	struct backoff backoff = {0};

	for (size_t i = 0; i < UNIT_COUNT(steps_ms); i++)
		ck_assert_uint_eq(
		    backoff_next_us(&backoff, 0), steps_ms[i] * 1000 / 2);
}
END_TEST

START_TEST(any_random_number_stays_in_the_upper_half)
{
	struct backoff backoff = {0};

	for (size_t i = 0; i < UNIT_COUNT(steps_ms); i++) {
		struct backoff same = backoff;
		unsigned int wait_us;

		wait_us = backoff_next_us(&backoff, randoms[_i]);
		ck_assert_uint_ge(wait_us, steps_ms[i] * 500);
		ck_assert_uint_le(wait_us, steps_ms[i] * 1000);
		ck_assert_uint_eq(backoff_next_us(&same, randoms[_i]), wait_us);
	}
}
END_TEST

START_TEST(chance_reaches_every_microsecond_of_the_half)
{
	unsigned char reached[501] = {0};

	for (uint32_t random = 7000; random < 7501; random++) {
		struct backoff backoff = {0};
		unsigned int wait_us = backoff_next_us(&backoff, random);

		ck_assert_uint_ge(wait_us, 500);
		ck_assert_uint_le(wait_us, 1000);
		reached[wait_us - 500] = 1;
	}
	for (size_t i = 0; i < UNIT_COUNT(reached); i++)
		ck_assert_msg(reached[i], "%zu us never came", 500 + i);
}
END_TEST

START_TEST(after_a_reset_it_begins_anew)
{
	/* tries before it: none, in the middle, at the cap */
	static const unsigned int tries[] = {0, 1, 5, 8, 12};
	struct backoff backoff = {0};

	for (size_t i = 0; i < UNIT_COUNT(tries); i++) {
		for (unsigned int n = 0; n < tries[i]; n++)
			backoff_next_us(&backoff, 0);
		backoff_reset(&backoff);
		ck_assert_uint_eq(backoff_next_us(&backoff, 500), 1000);
		ck_assert_uint_eq(backoff_next_us(&backoff, 1000), 2000);
	}
}
END_TEST

UNIT_SUITE(backoff)
{
	TCase *tc = unit_case(suite, "backoff");

	tcase_add_test(tc, steps_double_from_one_millisecond_to_a_hundred);
	tcase_add_test(tc, no_wait_is_shorter_than_half_a_step);
	tcase_add_loop_test(tc, any_random_number_stays_in_the_upper_half, 0,
	    (int)UNIT_COUNT(randoms));
	tcase_add_test(tc, chance_reaches_every_microsecond_of_the_half);
	tcase_add_test(tc, after_a_reset_it_begins_anew);
}
