/* SPDX-License-Identifier: ISC */
/*
 * The rate limit of log lines: one a second; the others are counted.
 */
#include "fixture/unit.h"

#include "engine/policy/log_ratelimit.h"

#define NOW_MS 5000000

START_TEST(one_line_a_second_is_allowed)
{
	struct log_ratelimit limit = {0};
	uint64_t suppressed = 7;

	ck_assert(log_ratelimit_allows(&limit, NOW_MS, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
	ck_assert(!log_ratelimit_allows(&limit, NOW_MS, &suppressed));
	ck_assert(!log_ratelimit_allows(&limit, NOW_MS + 999, &suppressed));
	ck_assert(log_ratelimit_allows(&limit, NOW_MS + 1000, &suppressed));
}
END_TEST

START_TEST(lines_that_were_suppressed_are_counted_once)
{
	struct log_ratelimit limit = {0};
	uint64_t suppressed;

	ck_assert(log_ratelimit_allows(&limit, NOW_MS, &suppressed));
	for (int i = 0; i < 3; i++)
		ck_assert(!log_ratelimit_allows(&limit, NOW_MS, &suppressed));
	ck_assert_uint_eq(suppressed, 0); /* not reported yet */
	ck_assert(log_ratelimit_allows(&limit, NOW_MS + 5000, &suppressed));
	ck_assert_uint_eq(suppressed, 3);
	ck_assert(log_ratelimit_allows(&limit, NOW_MS + 6000, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
}
END_TEST

UNIT_SUITE(log_ratelimit)
{
	TCase *tc = unit_case(suite, "log_ratelimit");

	tcase_add_test(tc, one_line_a_second_is_allowed);
	tcase_add_test(tc, lines_that_were_suppressed_are_counted_once);
}
