/* SPDX-License-Identifier: ISC */
/*
 * The records that the config reader writes: their order, their limits, and
 * that nothing but what was said is in them.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS 32

static struct output out;
static struct record records[RECORDS];

/* The number of records that out writes, which are then in records. */
static size_t
written(void)
{
	FILE *file = tmpfile();
	struct log nobody;
	ssize_t n;

	log_init(&nobody, "test", -1);
	output_say(&out, "file", &nobody);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(output_write(&out, fileno(file)), 0);
	n = pread(fileno(file), records, sizeof(records), 0);
	fclose(file);
	ck_assert_int_ge(n, 0);
	ck_assert_uint_eq((size_t)n % sizeof(records[0]), 0);
	return (size_t)n / sizeof(records[0]);
}

START_TEST(a_good_configuration_is_header_settings_endpoints)
{
	output_init(&out);
	output_warning(&out, 7, "odd");
	output_add(&out, RECORD_ENDPOINT)->line = 3;
	out.settings.engine_uid = 5;
	ck_assert_uint_eq(written(), 4);
	ck_assert_uint_eq(records[0].type, RECORD_HEADER);
	ck_assert_uint_eq(records[0].u.header.magic, RECORD_MAGIC);
	ck_assert_uint_eq(records[0].u.header.version, RECORD_VERSION);
	ck_assert_uint_eq(records[0].u.header.size, sizeof(struct record));
	ck_assert_uint_eq(records[1].type, RECORD_DIAGNOSTIC);
	ck_assert_uint_eq(records[1].u.diagnostic.warning, 1);
	ck_assert_uint_eq(records[2].type, RECORD_SETTINGS);
	ck_assert_uint_eq(records[2].u.settings.engine_uid, 5);
	ck_assert_uint_eq(records[3].type, RECORD_ENDPOINT);
	ck_assert_uint_eq(records[3].line, 3);
	output_done(&out);
}
END_TEST

START_TEST(an_error_leaves_diagnostics_alone_in_the_order_of_lines)
{
	output_init(&out);
	output_add(&out, RECORD_ENDPOINT);
	output_error(&out, 9, "a%cb", '\n');
	output_error(&out, 2, "c");
	output_warning(&out, 9, "d");
	ck_assert_uint_eq(written(), 4);
	ck_assert_uint_eq(records[1].line, 2);
	ck_assert_uint_eq(records[1].u.diagnostic.warning, 0);
	ck_assert_uint_eq(records[2].line, 9);
	ck_assert_str_eq(records[2].u.diagnostic.text, "a?b");
	ck_assert_str_eq(records[3].u.diagnostic.text, "d");
	output_done(&out);
}
END_TEST

START_TEST(what_is_about_no_line_is_said_without_one)
{
	char text[256];
	struct log log;
	int ends[2];
	ssize_t n;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	unsetenv("JOURNAL_STREAM");
	log_init(&log, "test", ends[1]);
	output_init(&out);
	output_error(&out, 0, "none");
	output_warning(&out, 7, "odd");
	output_say(&out, "file", &log);
	n = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(
	    text, "test: file: none\ntest: file:7: warning: odd\n");
	output_done(&out);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(more_than_20_diagnostics_are_counted)
{
	output_init(&out);
	for (unsigned int i = 0; i < 30; i++)
		output_warning(&out, 1, "w");
	for (unsigned int i = 0; i < 30; i++)
		output_error(&out, 2, "e");
	ck_assert_uint_eq(out.errors, 30);
	ck_assert_uint_eq(written(), 1 + OUTPUT_DIAGNOSTICS);
	ck_assert_uint_eq(records[OUTPUT_DIAGNOSTICS].u.diagnostic.warning, 0);
	ck_assert_str_eq(records[OUTPUT_DIAGNOSTICS].u.diagnostic.text,
	    "41 more errors and warnings, here and elsewhere");
	output_done(&out);
}
END_TEST

START_TEST(a_long_text_is_cut_and_ends_in_a_NUL)
{
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	output_init(&out);
	output_error(&out, 1, "%s", text);
	ck_assert_uint_eq(written(), 2);
	ck_assert_uint_eq(
	    strlen(records[1].u.diagnostic.text), RECORD_TEXT_SIZE - 1);
	output_done(&out);
}
END_TEST

START_TEST(what_was_not_filled_is_zero)
{
	static const struct record zero;
	const size_t start = offsetof(struct record, u);

	output_init(&out);
	for (int i = 0; i < 20; i++)
		output_add(&out, RECORD_ENDPOINT);
	ck_assert_uint_eq(written(), 22);
	for (int i = 2; i < 22; i++)
		ck_assert_mem_eq(&records[i].u, &zero.u, sizeof(zero.u));
	ck_assert_mem_eq(
	    (char *)&records[0] + start + sizeof(struct record_header), &zero,
	    sizeof(zero.u) - sizeof(struct record_header));
	ck_assert_mem_eq(
	    (char *)&records[1] + start + sizeof(struct record_settings), &zero,
	    sizeof(zero.u) - sizeof(struct record_settings));
	output_done(&out);
}
END_TEST

START_TEST(there_is_an_end_to_endpoints)
{
	output_init(&out);
	for (size_t i = 0; i < OUTPUT_ENDPOINTS; i++)
		ck_assert_ptr_nonnull(output_add(&out, RECORD_ENDPOINT));
	ck_assert_ptr_null(output_add(&out, RECORD_ENDPOINT));
	ck_assert_int_eq(out.failed, 0);
	output_done(&out);
}
END_TEST

START_TEST(a_reader_that_has_gone_is_an_error)
{
	int fds[2];

	output_init(&out);
	ck_assert_int_eq(pipe(fds), 0);
	fd_close(fds[0]);
	ck_assert_int_eq(output_write(&out, fds[1]), -1);
	ck_assert_int_eq(errno, EPIPE);
	fd_close(fds[1]);
	output_done(&out);
}
END_TEST

UNIT_SUITE(output)
{
	TCase *tc = unit_case(suite, "output");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_test(tc, a_good_configuration_is_header_settings_endpoints);
	tcase_add_test(
	    tc, an_error_leaves_diagnostics_alone_in_the_order_of_lines);
	tcase_add_test(tc, what_is_about_no_line_is_said_without_one);
	tcase_add_test(tc, more_than_20_diagnostics_are_counted);
	tcase_add_test(tc, a_long_text_is_cut_and_ends_in_a_NUL);
	tcase_add_test(tc, what_was_not_filled_is_zero);
	tcase_add_test(tc, there_is_an_end_to_endpoints);
	tcase_add_test(tc, a_reader_that_has_gone_is_an_error);
}
