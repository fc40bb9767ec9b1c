/* SPDX-License-Identifier: ISC */
/*
 * The rate limit of log lines: one a second, and no line lost uncounted.
 */
#include "unit.h"

#include "base/clock.h"
#include "engine/limit.h"

#define UNTOUCHED 4711

START_TEST(the_first_line_is_written)
{
	unsigned long long suppressed = UNTOUCHED;
	struct limit limit = {0};

	ck_assert(limit_allows(&limit, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(the_next_line_has_to_wait_for_a_second)
{
	unsigned long long suppressed;
	struct limit limit = {0};
	uint64_t before_ms = clock_ms(), after_ms;

	ck_assert(limit_allows(&limit, &suppressed));
	after_ms = clock_ms();
	ck_assert_uint_ge(limit.next_ms, before_ms + 1000);
	ck_assert_uint_le(limit.next_ms, after_ms + 1000);
}
END_TEST

START_TEST(until_then_lines_are_counted_and_nothing_is_returned)
{
	uint64_t next_ms = clock_ms() + 600000;
	unsigned long long suppressed = UNTOUCHED;
	struct limit limit = {.next_ms = next_ms};

	for (unsigned int i = 1; i <= 3; i++) {
		ck_assert(!limit_allows(&limit, &suppressed));
		ck_assert_uint_eq(limit.suppressed, i);
	}
	ck_assert_uint_eq(suppressed, UNTOUCHED);
	/* Those that are not written put nothing off. */
	ck_assert_uint_eq(limit.next_ms, next_ms);
}
END_TEST

START_TEST(the_line_after_says_how_many_were_not_written)
{
	unsigned long long suppressed = UNTOUCHED;
	struct limit limit = {.next_ms = clock_ms() + 600000};

	for (int i = 0; i < 3; i++)
		ck_assert(!limit_allows(&limit, &suppressed));
	limit.next_ms = clock_ms(); /* the time has come, to the millisecond */
	ck_assert(limit_allows(&limit, &suppressed));
	ck_assert_uint_eq(suppressed, 3);
	limit.next_ms = clock_ms();
	ck_assert(limit_allows(&limit, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("limit");
	TCase *tc = unit_case(suite, "limit");

	tcase_add_test(tc, the_first_line_is_written);
	tcase_add_test(tc, the_next_line_has_to_wait_for_a_second);
	tcase_add_test(
	    tc, until_then_lines_are_counted_and_nothing_is_returned);
	tcase_add_test(tc, the_line_after_says_how_many_were_not_written);
	return unit_run(suite);
}
