/* SPDX-License-Identifier: ISC */
/*
 * Shares of owners that take all they may, and of one that comes later.
 */
#include "fixture/unit.h"

#include "engine/policy/quota.h"

#define LIMIT 1000
#define OWNERS_MAX 8

/* Each of count owners takes as much as it may, in turn.  Returns what the
 * first one gets. */
static uint64_t
take_all(uint64_t owners, uint64_t *out_left)
{
	uint64_t has[OWNERS_MAX] = {0}, next, left = LIMIT;
	int more = 1;

	while (more) {
		more = 0;
		for (uint64_t i = 0; i < owners; i++) {
			next = quota_next(left, has[i], 0, owners);
			has[i] += next;
			left -= next;
			more |= next > 0;
		}
	}
	*out_left = left;
	return has[0];
}

START_TEST(each_gets_what_is_left_for_others)
{
	uint64_t left, share, fair = LIMIT / ((uint64_t)_i + 1);

	share = take_all((uint64_t)_i, &left);
	ck_assert_uint_le(share, fair + fair / 16);
	ck_assert_uint_ge(share, fair * 3 / 4);
	ck_assert_uint_ge(left, fair * 3 / 4);
}
END_TEST

START_TEST(one_that_has_nothing_gets_something)
{
	for (uint64_t left = 1; left < LIMIT; left++) {
		ck_assert_uint_ge(quota_next(left, 0, 0, 100), 1);
		ck_assert_uint_eq(quota_next(left, 0, left, 1), 1);
		ck_assert_uint_eq(quota_next(left, 0, UINT64_MAX, 1), 1);
		ck_assert_uint_eq(quota_next(left, left, 0, 1), 0);
		ck_assert_uint_eq(quota_next(left, 1, left, 1), 0);
	}
	ck_assert_uint_eq(quota_next(0, 0, 0, 1), 0);
	ck_assert_uint_eq(quota_next(1, 0, 0, 0), 1);
}
END_TEST

START_TEST(what_all_may_take_before_they_ask_again_is_not_all)
{
	for (uint64_t owners = 1; owners < 100; owners++)
		ck_assert_uint_le(
		    owners * quota_next(LIMIT, 0, 0, owners), LIMIT / 4);
}
END_TEST

UNIT_SUITE(quota)
{
	TCase *tc = unit_case(suite, "quota");

	tcase_add_loop_test(
	    tc, each_gets_what_is_left_for_others, 1, OWNERS_MAX);
	tcase_add_test(tc, one_that_has_nothing_gets_something);
	tcase_add_test(tc, what_all_may_take_before_they_ask_again_is_not_all);
}
