/* SPDX-License-Identifier: ISC */
/*
 * Errors are reported once each, and not too many in a minute.
 */
#include "fixture/unit.h"

#include "engine/policy/report_once.h"

#include <errno.h>
#include <stdio.h>

#define NOW_MS 5000000
#define LATER_MS (NOW_MS + REPORT_ONCE_MS)

/* Fills the memory with names that begin with prefix. */
static void
fill(struct report_once *once, const char *prefix, uint64_t now_ms)
{
	char name[16];

	for (int i = 0; once->count < REPORT_ONCE_MAX; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		ck_assert(report_once_is_new(once, name, EPERM, 0, now_ms));
	}
}

START_TEST(a_fault_is_new_once)
{
	struct report_once once = {.count = 0};

	ck_assert(report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
	ck_assert(!report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
	ck_assert(!report_once_is_new(&once, "a", EPERM, 1, LATER_MS * 2));
}
END_TEST

START_TEST(another_name_error_or_inode_is_another_fault)
{
	struct report_once once = {.count = 0};

	ck_assert(report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
	ck_assert(report_once_is_new(&once, "b", EPERM, 1, NOW_MS));
	ck_assert(!report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
	ck_assert(report_once_is_new(&once, "a", EACCES, 1, NOW_MS));
	ck_assert(report_once_is_new(&once, "a", EACCES, 2, NOW_MS));
	ck_assert(!report_once_is_new(&once, "a", EACCES, 2, NOW_MS));
	ck_assert(!report_once_is_new(&once, "b", EPERM, 1, NOW_MS));
}
END_TEST

START_TEST(a_name_has_one_fault_at_a_time)
{
	struct report_once once = {.count = 0};

	ck_assert(report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
	ck_assert(report_once_is_new(&once, "a", EACCES, 1, NOW_MS));
	ck_assert(report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
}
END_TEST

START_TEST(a_fault_that_was_over_is_new_again)
{
	struct report_once once = {.count = 0};

	ck_assert(report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
	ck_assert(report_once_is_new(&once, "b", EPERM, 1, NOW_MS));
	report_once_forget(&once, "a");
	ck_assert(report_once_is_new(&once, "a", EPERM, 1, NOW_MS));
	ck_assert(!report_once_is_new(&once, "b", EPERM, 1, NOW_MS));
}
END_TEST

START_TEST(too_many_are_not_said_until_a_minute_has_passed)
{
	struct report_once once = {.count = 0};

	fill(&once, "a", NOW_MS);
	ck_assert(!report_once_is_new(&once, "b", EPERM, 0, NOW_MS));
	ck_assert(!report_once_is_new(&once, "b", EPERM, 0, LATER_MS - 1));
	ck_assert(report_once_is_new(&once, "b", EPERM, 0, LATER_MS));
	fill(&once, "c", LATER_MS);
	ck_assert(!report_once_is_new(&once, "d", EPERM, 0, LATER_MS));
}
END_TEST

START_TEST(the_minute_begins_with_the_first)
{
	struct report_once once = {.count = 0};

	ck_assert(report_once_is_new(&once, "first", EPERM, 0, NOW_MS));
	fill(&once, "a", LATER_MS - 1);
	ck_assert(!report_once_is_new(&once, "b", EPERM, 0, LATER_MS - 1));
	ck_assert(report_once_is_new(&once, "b", EPERM, 0, LATER_MS));
}
END_TEST

START_TEST(to_come_and_go_does_not_help)
{
	struct report_once once = {.count = 0};
	unsigned int said = 0;

	for (int i = 0; i < 3 * REPORT_ONCE_MAX; i++) {
		said += (unsigned int)report_once_is_new(
		    &once, "a", EPERM, 0, NOW_MS);
		report_once_forget(&once, "a");
	}
	ck_assert_uint_eq(said, REPORT_ONCE_MAX);
}
END_TEST

UNIT_SUITE(report_once)
{
	TCase *tc = unit_case(suite, "report_once");

	tcase_add_test(tc, a_fault_is_new_once);
	tcase_add_test(tc, another_name_error_or_inode_is_another_fault);
	tcase_add_test(tc, a_name_has_one_fault_at_a_time);
	tcase_add_test(tc, a_fault_that_was_over_is_new_again);
	tcase_add_test(tc, too_many_are_not_said_until_a_minute_has_passed);
	tcase_add_test(tc, the_minute_begins_with_the_first);
	tcase_add_test(tc, to_come_and_go_does_not_help);
}
