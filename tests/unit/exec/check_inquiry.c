/* SPDX-License-Identifier: ISC */
/*
 * When the broker is asked for a listener: after changes in its run directory,
 * and not while nothing happens.
 */
#include "fixture/fake_clock.h"
#include "fixture/unit.h"

#include "exec/cmdline.h"
#include "exec/inquiry.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct cmdline cmdline;
static struct inquiry inquiry;
static char run_dir[256];

static void
start(void)
{
	static char listener[] = "www";
	static char *listeners[] = {listener};

	unit_directory("run", 0755);
	snprintf(run_dir, sizeof(run_dir), "%s", unit_path("run"));
	cmdline = (struct cmdline){
	    .run_dir = run_dir, .listeners = listeners, .listener_count = 1};
	inquiry_init(&inquiry, &cmdline);
}

/* The directory has changed at that time. */
static void
change(time_t second)
{
	const struct timespec times[2] = {{second, 0}, {second, 0}};

	ck_assert_int_eq(utimensat(AT_FDCWD, run_dir, times, 0), 0);
}

/* Returns how many questions are asked at the next 20 looks. */
static unsigned int
asks(void)
{
	unsigned int count = 0;

	for (int i = 0; i < 20; i++) {
		unsigned int before;

		ck_assert_int_ge(inquiry_left_ms(&inquiry), 0);
		fake_clock.passed_us +=
		    (uint64_t)inquiry_left_ms(&inquiry) * 1000;
		before = inquiry.questions;
		inquiry_continue(&inquiry, NULL);
		count +=
		    inquiry.questions > before || inquiry.questions < before;
	}
	return count;
}

START_TEST(a_change_of_the_directory_lets_it_ask_and_nothing_else_does)
{
	unsigned int count;

	start();
	change(100);
	count = asks();
	ck_assert_uint_gt(count, 1);
	ck_assert_uint_lt(count, 10);
	ck_assert_uint_eq(asks(), 0);
	change(99);
	ck_assert_uint_eq(asks(), count);
	inquiry_done(&inquiry);
}
END_TEST

START_TEST(a_new_directory_lets_it_ask)
{
	start();
	change(100);
	ck_assert_uint_gt(asks(), 1);
	ck_assert_int_eq(rmdir(run_dir), 0);
	ck_assert_uint_eq(asks(), 0);
	unit_directory("run", 0711);
	ck_assert_uint_gt(asks(), 1);
	inquiry_done(&inquiry);
}
END_TEST

START_TEST(it_does_not_ask_where_it_does_not_know_the_broker)
{
	static char mailbox[] = "/nowhere/box";

	start();
	inquiry_done(&inquiry);
	cmdline.run_dir = NULL;
	cmdline.mailbox = mailbox;
	inquiry_init(&inquiry, &cmdline);
	ck_assert_int_eq(inquiry_left_ms(&inquiry), -1);
	inquiry_done(&inquiry);
}
END_TEST

UNIT_SUITE(inquiry)
{
	TCase *tc = unit_case(suite, "inquiry");

	fake_clock_stop_in(tc);
	tcase_add_test(
	    tc, a_change_of_the_directory_lets_it_ask_and_nothing_else_does);
	tcase_add_test(tc, a_new_directory_lets_it_ask);
	tcase_add_test(tc, it_does_not_ask_where_it_does_not_know_the_broker);
}
