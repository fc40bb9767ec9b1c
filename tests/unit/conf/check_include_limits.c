/* SPDX-License-Identifier: ISC */
/*
 * Limits of include: of the statements, of the time that their patterns take,
 * and of the process, which are no errors of the configuration.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/syntax/include.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct diagnostics out;

static void
begin(void)
{
	memset(&out, 0, sizeof(out));
	ck_assert_int_eq(diagnostics_add_file(&out, unit_path("main")), 0);
	fd_close(
	    open(unit_path("other"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

/* The number of files that a statement in that line reads. */
static int
include(unsigned int line, const char *pattern)
{
	const struct source source = {.file = 0};
	struct include statement;
	int count = 0;

	include_init(
	    &statement, &source, (struct location){0, line}, pattern, &out);
	while (include_next(&statement))
		count++;
	include_done(&statement);
	return count;
}

/* Tens of thousands of patterns would use up the time of the reader. */
START_TEST(statements_are_limited_and_the_limit_is_told_once)
{
	begin();
	for (unsigned int line = 1; line < 1000; line++)
		ck_assert_int_eq(include(line, "absent/*.conf"), 0);
	ck_assert_int_eq(include(1000, "other"), 1);
	ck_assert_uint_eq(out.count, 0);
	for (unsigned int line = 1001; line < 1100; line++)
		ck_assert_int_eq(include(line, "other"), 0);
	ck_assert_uint_eq(out.errors, 1);
	ck_assert_uint_eq(out.items[0].at.line, 1001);
	ck_assert_ptr_nonnull(strstr(
	    out.items[0].text, "too many statements: expected at most 1000"));
	diagnostics_done(&out);
}
END_TEST

START_TEST(patterns_that_take_long_end_the_reading)
{
	begin();
	out.include_us = 10000001;
	for (unsigned int line = 1; line <= 2; line++)
		ck_assert_int_eq(include(line, "other"), 0);
	ck_assert_uint_eq(out.errors, 1);
	ck_assert_uint_eq(out.passing, 1);
	ck_assert_ptr_nonnull(strstr(out.items[0].text, "took 10 s"));
	diagnostics_done(&out);
}
END_TEST

static void
limited_body(void *argument)
{
	struct rlimit files;

	(void)argument;
	begin();
	unit_must(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = 3;
	unit_must(setrlimit(RLIMIT_NOFILE, &files) == 0);
	unit_must(include(1, "other") == 0);
	unit_must(include(1, "*") == 0);
	unit_must(out.errors == 2 && out.passing == 2);
}

START_TEST(a_limit_of_the_process_may_pass)
{
	unit_in_child(limited_body, NULL);
}
END_TEST

UNIT_SUITE(include_limits)
{
	TCase *tc = unit_case(suite, "limits");

	tcase_add_test(tc, statements_are_limited_and_the_limit_is_told_once);
	tcase_add_test(tc, patterns_that_take_long_end_the_reading);
	tcase_add_test(tc, a_limit_of_the_process_may_pass);
}
