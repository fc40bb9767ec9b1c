/* SPDX-License-Identifier: ISC */
/*
 * Work for nothing gets a tenth of the time.
 */
#include "fixture/unit.h"

#include "engine/policy/effort.h"

#define SECOND_US 1000000

START_TEST(whoever_does_so_without_end_gets_a_tenth)
{
	struct effort effort = {0};
	uint64_t now_us = SECOND_US, spent_us = 0, piece_us = (uint64_t)_i;

	while (now_us < 2 * SECOND_US) {
		now_us += effort_rest_us(&effort, now_us) + piece_us;
		spent_us += piece_us;
		effort_add(&effort, now_us - piece_us, now_us);
	}
	ck_assert_uint_ge(spent_us, SECOND_US / 12);
	ck_assert_uint_le(spent_us, SECOND_US / 8);
}
END_TEST

START_TEST(a_little_needs_no_rest)
{
	struct effort effort = {0};

	ck_assert_uint_eq(effort_rest_us(&effort, SECOND_US), 0);
	effort_add(&effort, SECOND_US - 200, SECOND_US);
	ck_assert_uint_eq(effort_rest_us(&effort, SECOND_US), 0);
	effort_add(&effort, SECOND_US - 100, SECOND_US);
	ck_assert_uint_eq(effort_rest_us(&effort, SECOND_US), 1000);
	ck_assert_uint_eq(effort_rest_us(&effort, SECOND_US + 1000), 0);
}
END_TEST

START_TEST(no_rest_is_longer_than_a_quarter_of_a_second)
{
	struct effort effort = {0};

	effort_add(&effort, 0, SECOND_US);
	ck_assert_uint_le(effort_rest_us(&effort, SECOND_US), SECOND_US / 4);
}
END_TEST

START_TEST(each_user_has_an_effort)
{
	static struct effort_users users;
	struct effort *first = effort_for(&users, 7);

	for (uid_t i = 1; i < EFFORT_USERS; i++)
		ck_assert_ptr_ne(effort_for(&users, 7 + i * 64), first);
	ck_assert_ptr_eq(effort_for(&users, 7), first);
	ck_assert_ptr_eq(effort_for(&users, 7 + 64), &users.efforts[1]);
	/* There is none left for more. */
	ck_assert_ptr_nonnull(effort_for(&users, (uid_t)-1));
	ck_assert_uint_eq(users.count, EFFORT_USERS);
}
END_TEST

UNIT_SUITE(effort)
{
	TCase *tc = unit_case(suite, "effort");

	tcase_add_loop_test(
	    tc, whoever_does_so_without_end_gets_a_tenth, 1, 20);
	tcase_add_test(tc, a_little_needs_no_rest);
	tcase_add_test(tc, no_rest_is_longer_than_a_quarter_of_a_second);
	tcase_add_test(tc, each_user_has_an_effort);
}
