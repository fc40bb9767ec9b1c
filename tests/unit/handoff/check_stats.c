/* SPDX-License-Identifier: ISC */
/*
 * The counters of one engine: its rows, and a file that others read.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "config.h"
#include "engine/handoff/stats.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct log quiet = {.role = "engine", .fd = -1, .copy = -1};
static struct stats stats;

static int
memory(void)
{
	int fd = memfd_create("counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ne(fd, -1);
	return fd;
}

static void
open_with(size_t room)
{
	memset(&stats, 0x5a, sizeof(stats));
	ck_assert_int_eq(stats_open(&stats, memory(), &quiet), 0);
	ck_assert_int_eq(stats_reserve(&stats, room), 0);
}

static void
load(void)
{
	legacy_set_next(&stats.legacy, memory());
	ck_assert_int_eq(stats_load(&stats), 0);
}

START_TEST(each_listener_has_a_row_of_its_own)
{
	struct stats_row *web, *mail;
	struct stats_listener sum;

	open_with(3);
	web = stats_add(&stats, "web");
	mail = stats_add(&stats, "web2");
	ck_assert_ptr_eq(mail, web + 1);
	load();
	web->counters.accepted = 5;
	mail->counters.send_failed = 7;
	stats_sum(&stats, &web->counters, &sum);
	ck_assert_str_eq(sum.name, "web");
	ck_assert_uint_eq(sum.accepted, 5);
	ck_assert_uint_eq(sum.send_failed, 0);
	stats_sum(&stats, &mail->counters, &sum);
	ck_assert_str_eq(sum.name, "web2");
	ck_assert_uint_eq(sum.accepted, 0);
	ck_assert_uint_eq(sum.send_failed, 7);
	stats_close(&stats);
}
END_TEST

START_TEST(no_more_rows_than_were_reserved)
{
	char name[RECORD_LISTENER_SIZE + 1];

	open_with(1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "listener-%d", i);
		ck_assert_ptr_eq(stats_add(&stats, name), &stats.rows[i]);
	}
	errno = 0;
	ck_assert_ptr_null(stats_add(&stats, "one-more"));
	ck_assert_int_eq(errno, ENOSPC);
	load();
	stats_close(&stats);
	open_with(1);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_ptr_null(stats_add(&stats, name));
	ck_assert_int_eq(errno, ENAMETOOLONG);
	stats_close(&stats);
}
END_TEST

/* Nobody who maps it can be killed by SIGBUS. */
START_TEST(the_file_has_the_size_of_its_table_for_good)
{
	struct stat st;

	open_with(1000);
	ck_assert_ptr_nonnull(stats_add(&stats, "web"));
	load();
	ck_assert_int_eq(fstat(stats.fd, &st), 0);
	ck_assert_int_eq(
	    st.st_size, STATS_FILE_ROWS + sizeof(struct stats_row));
	ck_assert_int_eq(ftruncate(stats.fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(stats.fd, 1 << 23), -1);
	stats.rows[0].counters.accepted = 1; /* still writable */
	ck_assert_int_eq(pwrite(stats.legacy.sums, "x", 1, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	stats_close(&stats);
}
END_TEST

START_TEST(a_table_may_have_no_listener)
{
	open_with(1);
	load();
	stats_close(&stats);
}
END_TEST

START_TEST(files_have_numbers_for_an_engine_that_adopts)
{
	open_with(1);
	ck_assert_int_eq(stats_find_file(&stats, 0), stats.fd);
	ck_assert_int_eq(stats_find_file(&stats, 1), -1);
	load();
	ck_assert_int_ne(stats.legacy.sums, -1);
	ck_assert_int_eq(stats_find_file(&stats, 1), stats.legacy.sums);
	ck_assert_int_eq(stats_find_file(&stats, 2), -1);
	ck_assert_int_eq(stats_find_file(&stats, UINT32_MAX), -1);
	stats_close(&stats);
}
END_TEST

START_TEST(what_cannot_be_mapped_is_refused)
{
	errno = 0;
	ck_assert_int_eq(stats_open(&stats, -1, &quiet), -1);
	ck_assert_int_eq(errno, EBADF);
	stats_close(&stats);
	stats_close(&stats);
	open_with(1); /* without a file for the sums */
	ck_assert_int_eq(stats_load(&stats), -1);
	stats_close(&stats);
}
END_TEST

UNIT_SUITE(stats)
{
	TCase *tc = unit_case(suite, "stats");

	tcase_add_test(tc, each_listener_has_a_row_of_its_own);
	tcase_add_test(tc, no_more_rows_than_were_reserved);
	tcase_add_test(tc, the_file_has_the_size_of_its_table_for_good);
	tcase_add_test(tc, a_table_may_have_no_listener);
	tcase_add_test(tc, files_have_numbers_for_an_engine_that_adopts);
	tcase_add_test(tc, what_cannot_be_mapped_is_refused);
}
