/* SPDX-License-Identifier: ISC */
/*
 * Token buckets: so many at once, then one for each part of the period, and
 * never more than a bucket beyond that.
 */
#include "fixture/unit.h"

#include "engine/policy/rate.h"

#include <stdlib.h>

static const struct {
	uint32_t number, period_s;
} limits[] = {{1, 1}, {3, 1}, {7, 60}, {1000, 1}, {1000000, 1}, {1, 3600}};

START_TEST(a_full_bucket_has_as_many_as_its_number)
{
	uint32_t number = limits[_i].number, taken = 0;
	struct rate rate = {0};

	while (rate_take(&rate, 5, number, limits[_i].period_s))
		taken++;
	ck_assert_uint_eq(taken, number);
	ck_assert(!rate_is_full(&rate, 5));
	ck_assert(
	    rate_is_full(&rate, 5 + limits[_i].period_s * UINT64_C(1000000)));
}
END_TEST

START_TEST(in_any_time_no_more_pass_than_a_bucket_and_what_comes_in)
{
	uint64_t period_us = limits[_i].period_s * UINT64_C(1000000);
	uint32_t number = limits[_i].number;
	uint64_t now_us = 1, passed = 0;
	struct rate rate = {0};

	srand(1);
	for (int i = 0; i < 100000; i++) {
		now_us += (uint64_t)rand() % (period_us / number + 1);
		passed +=
		    rate_take(&rate, now_us, number, limits[_i].period_s) ? 1 :
									    0;
		ck_assert_uint_le(
		    passed, number + (now_us - 1) / (period_us / number));
	}
	/* One comes in on time in any case. */
	now_us += period_us;
	ck_assert(rate_take(&rate, now_us, number, limits[_i].period_s));
}
END_TEST

START_TEST(a_number_of_none_lets_nothing_pass)
{
	struct rate rate = {0};

	ck_assert(!rate_take(&rate, 1, 0, 1));
	ck_assert(rate_is_full(&rate, 0));
}
END_TEST

UNIT_SUITE(rate)
{
	TCase *tc = unit_case(suite, "rate");

	tcase_add_loop_test(
	    tc, a_full_bucket_has_as_many_as_its_number, 0, UNIT_COUNT(limits));
	tcase_add_loop_test(tc,
	    in_any_time_no_more_pass_than_a_bucket_and_what_comes_in, 0,
	    UNIT_COUNT(limits));
	tcase_add_test(tc, a_number_of_none_lets_nothing_pass);
}
