/* SPDX-License-Identifier: ISC */
/*
 * The diagnostics of the config reader: their order and number, and how they
 * name places.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "base/fd.h"

#include <sys/mman.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct diagnostics out;

/* A place in the main file or in an included one. */
static struct location
at(unsigned int file, unsigned int line)
{
	return (struct location){file, line};
}

static void
begin(void)
{
	memset(&out, 0, sizeof(out));
	ck_assert_int_eq(diagnostics_add_file(&out, "main"), 0);
	ck_assert_int_eq(diagnostics_add_file(&out, "other"), 1);
}

/* Returns what it writes to a log, good until the next call.  Ends out. */
static const char *
written(void)
{
	static char text[1024 * 1024];
	int file = memfd_create("log", MFD_CLOEXEC);
	struct log log;
	ssize_t n;

	unsetenv("JOURNAL_STREAM");
	log_init(&log, "test", file);
	diagnostics_write(&out, &log);
	n = pread(file, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	fd_close(file);
	diagnostics_done(&out);
	return text;
}

START_TEST(diagnostics_are_written_in_the_order_of_files_and_lines)
{
	begin();
	diagnostics_error(&out, at(1, 2), "a%cb", '\n');
	diagnostics_error(&out, at(0, 9), "c");
	diagnostics_warning(&out, at(1, 1), "d %d", 4);
	diagnostics_error(&out, at(0, 2), "e");
	diagnostics_warning(&out, at(0, 9), "f");
	diagnostics_error(&out, at(1, 0), "g");
	ck_assert_uint_eq(out.errors, 4);
	ck_assert_str_eq(written(),
	    "test: main:2: e\n"
	    "test: main:9: c\n"
	    "test: main:9: warning: f\n"
	    "test: other: g\n"
	    "test: other:1: warning: d 4\n"
	    "test: other:2: a?b\n");
}
END_TEST

START_TEST(nothing_is_written_when_nothing_is_wrong)
{
	begin();
	ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(more_diagnostics_than_fit_are_counted)
{
	const char *text;

	begin();
	for (unsigned int i = 0; i < DIAGNOSTICS_MAX; i++)
		diagnostics_warning(&out, at(0, 1), "w");
	for (unsigned int i = 0; i < DIAGNOSTICS_MAX; i++)
		diagnostics_error(&out, at(0, 2), "e %u", i);
	ck_assert_uint_eq(out.errors, DIAGNOSTICS_MAX);
	ck_assert_uint_eq(out.count, DIAGNOSTICS_MAX);
	text = written();
	ck_assert_ptr_nonnull(strstr(text, "test: main:2: e 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ntest: 9000 more errors and "));
}
END_TEST

START_TEST(warnings_leave_room_in_a_pipe_for_an_error)
{
	const char *text;

	begin();
	for (unsigned int i = 0; i < 15000; i++)
		diagnostics_warning(&out, at(0, i), "%0150d", 0);
	diagnostics_error(&out, at(0, 15000), "e");
	text = written();
	ck_assert_uint_lt(strlen(text), 65536);
	ck_assert_ptr_nonnull(strstr(text,
	    "main:15000: e\n"
	    "test: 14900 more errors and "));
}
END_TEST

START_TEST(each_of_many_errors_is_written)
{
	const char *text;
	char line[32];

	begin();
	for (unsigned int i = 1000; i > 0; i--)
		diagnostics_error(&out, at(0, i), "e");
	text = written();
	for (unsigned int i = 1; i <= 1000; i++) {
		snprintf(line, sizeof(line), "test: main:%u: e\n", i);
		ck_assert_int_eq(strncmp(text, line, strlen(line)), 0);
		text += strlen(line);
	}
}
END_TEST

START_TEST(an_error_that_may_pass_is_counted_as_one)
{
	struct reason reason;

	begin();
	reason_set(&reason, "later");
	diagnostics_reason(&out, at(0, 1), "a", &reason);
	reason_is(&reason, REASON_UNKNOWN);
	diagnostics_reason(&out, at(0, 1), "b", &reason);
	ck_assert_uint_eq(out.passing, 0);
	reason_is(&reason, REASON_PASSING);
	diagnostics_reason(&out, at(0, 1), "c", &reason);
	ck_assert_uint_eq(out.errors, 3);
	ck_assert_uint_eq(out.passing, 1);
	diagnostics_done(&out);
}
END_TEST

START_TEST(a_long_text_is_cut)
{
	char text[2 * REASON_SIZE];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	begin();
	diagnostics_error(&out, at(0, 1), "%s", text);
	ck_assert_uint_eq(strlen(out.items[0].text), REASON_SIZE - 1);
	diagnostics_done(&out);
}
END_TEST

START_TEST(a_reason_is_an_error_or_a_failure_of_the_system)
{
	struct reason reason;

	begin();
	reason_set(&reason, "no %s", "sense");
	diagnostics_reason(&out, at(0, 3), "key", &reason);
	diagnostic_expect_only(&out, 3, "key: no sense", "reason");
	reason_system(&reason);
	diagnostics_reason(&out, at(0, 3), "key", &reason);
	ck_assert_int_eq(out.failed, 1);
	ck_assert_uint_eq(out.errors, 1);
	diagnostics_done(&out);
}
END_TEST

START_TEST(a_place_in_another_file_is_named_with_it)
{
	struct location_text where;
	char path[4096];

	begin();
	ck_assert_str_eq(
	    diagnostics_locate(&out, at(1, 7), at(1, 9)).text, "line 7");
	ck_assert_str_eq(
	    diagnostics_locate(&out, at(0, 7), at(1, 9)).text, "main:7");
	ck_assert_str_eq(
	    diagnostics_locate(&out, at(1, 8), at(0, 9)).text, "other:8");
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(diagnostics_add_file(&out, path), 2);
	where = diagnostics_locate(&out, at(2, 4294967295U), at(0, 9));
	ck_assert_str_eq(where.text + strlen(where.text) - 11, ":4294967295");
	diagnostics_done(&out);
}
END_TEST

START_TEST(there_is_an_end_to_files)
{
	begin();
	for (int i = 2; i < DIAGNOSTICS_FILES; i++)
		ck_assert_int_eq(diagnostics_add_file(&out, "more"), i);
	ck_assert_int_eq(diagnostics_add_file(&out, "more"), -1);
	ck_assert_int_eq(out.failed, 0);
	diagnostics_done(&out);
}
END_TEST

UNIT_SUITE(diagnostics)
{
	TCase *tc = unit_case(suite, "diagnostics");

	tcase_add_test(
	    tc, diagnostics_are_written_in_the_order_of_files_and_lines);
	tcase_add_test(tc, nothing_is_written_when_nothing_is_wrong);
	tcase_add_test(tc, more_diagnostics_than_fit_are_counted);
	tcase_add_test(tc, warnings_leave_room_in_a_pipe_for_an_error);
	tcase_add_test(tc, each_of_many_errors_is_written);
	tcase_add_test(tc, an_error_that_may_pass_is_counted_as_one);
	tcase_add_test(tc, a_long_text_is_cut);
	tcase_add_test(tc, a_reason_is_an_error_or_a_failure_of_the_system);
	tcase_add_test(tc, a_place_in_another_file_is_named_with_it);
	tcase_add_test(tc, there_is_an_end_to_files);
}
