/* SPDX-License-Identifier: ISC */
/*
 * The records that the config reader writes: their order and limits, and that
 * they contain no stray bytes.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/meaning/output.h"

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

/* Writes out into records.  Returns their number. */
static size_t
written(void)
{
	FILE *file = tmpfile();
	ssize_t n;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(output_write(&out, fileno(file)), 0);
	n = pread(fileno(file), records, sizeof(records), 0);
	fclose(file);
	ck_assert_int_ge(n, 0);
	ck_assert_uint_eq((size_t)n % sizeof(records[0]), 0);
	return (size_t)n / sizeof(records[0]);
}

START_TEST(a_good_configuration_is_header_settings_sockets)
{
	output_init(&out);
	ck_assert_uint_eq(output_add(&out, RECORD_ENDPOINT, AT_LINE(3))->type,
	    RECORD_ENDPOINT);
	ck_assert_uint_eq(output_add(&out, RECORD_CONTROL, LOCATION_NONE)->type,
	    RECORD_CONTROL);
	out.settings.engine_uid = 5;
	ck_assert_uint_eq(written(), 4);
	ck_assert_uint_eq(records[0].type, RECORD_HEADER);
	ck_assert_uint_eq(records[0].u.header.magic, RECORD_MAGIC);
	ck_assert_uint_eq(records[0].u.header.version, RECORD_VERSION);
	ck_assert_uint_eq(records[0].u.header.size, sizeof(struct record));
	ck_assert_uint_eq(records[1].type, RECORD_SETTINGS);
	ck_assert_uint_eq(records[1].u.settings.engine_uid, 5);
	ck_assert_uint_eq(records[2].type, RECORD_ENDPOINT);
	ck_assert_uint_eq(records[3].type, RECORD_CONTROL);
	output_done(&out);
}
END_TEST

START_TEST(a_socket_keeps_its_place)
{
	output_init(&out);
	for (unsigned int i = 0; i < 100; i++)
		output_add(&out, RECORD_ENDPOINT, (struct location){i, 2 * i});
	for (unsigned int i = 0; i < 100; i++) {
		ck_assert_uint_eq(out.at[i].file, i);
		ck_assert_uint_eq(out.at[i].line, 2 * i);
	}
	output_done(&out);
}
END_TEST

START_TEST(what_was_not_filled_is_zero)
{
	static const struct record zero;
	const size_t start = offsetof(struct record, u);

	output_init(&out);
	for (int i = 0; i < 20; i++)
		output_add(&out, RECORD_ENDPOINT, LOCATION_NONE);
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
		ck_assert_ptr_nonnull(
		    output_add(&out, RECORD_ENDPOINT, LOCATION_NONE));
	ck_assert_ptr_null(output_add(&out, RECORD_ENDPOINT, LOCATION_NONE));
	ck_assert_int_eq(out.diagnostics.failed, 0);
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
	tcase_add_test(tc, a_good_configuration_is_header_settings_sockets);
	tcase_add_test(tc, a_socket_keeps_its_place);
	tcase_add_test(tc, what_was_not_filled_is_zero);
	tcase_add_test(tc, there_is_an_end_to_endpoints);
	tcase_add_test(tc, a_reader_that_has_gone_is_an_error);
}
