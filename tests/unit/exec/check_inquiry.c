/* SPDX-License-Identifier: ISC */
/*
 * When the broker is asked for a listener: after changes in its run directory,
 * and not while nothing happens.
 */
#include "fixture/fake_clock.h"
#include "fixture/unit.h"

#include "exec/cmdline.h"
#include "exec/inquiry.h"

#include <fcntl.h>
#include <poll.h>
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

static void
make(const char *name)
{
	int fd = open(unit_path(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
}

/* Returns how often it asks before it does not any more, or most. */
static int
asks(int most)
{
	int count = 0, left_ms;

	while (count < most && (left_ms = inquiry_left_ms(&inquiry)) != -1) {
		fake_clock.passed_us += (uint64_t)left_ms * 1000;
		inquiry_continue(&inquiry, 0);
		count++;
	}
	return count;
}

static int
is_readable(void)
{
	struct pollfd watch = {.fd = inquiry.watch, .events = POLLIN};

	return poll(&watch, 1, 0) == 1;
}

START_TEST(a_change_of_the_rendezvous_lets_it_ask_and_nothing_else_does)
{
	int count;

	start();
	count = asks(100);
	ck_assert_int_lt(count, 10);
	ck_assert_int_eq(inquiry_left_ms(&inquiry), -1);
	make("run/control");
	ck_assert(is_readable());
	inquiry_continue(&inquiry, 1);
	ck_assert(!is_readable());
	ck_assert_int_eq(inquiry_left_ms(&inquiry), -1);
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			make("run/rendezvous.1");
		else
			ck_assert_int_eq(
			    unlink(unit_path("run/rendezvous.1")), 0);
		ck_assert(is_readable());
		inquiry_continue(&inquiry, 1);
		ck_assert_int_eq(inquiry_left_ms(&inquiry), 250);
		ck_assert_int_eq(asks(100), count);
	}
	inquiry_done(&inquiry);
}
END_TEST

START_TEST(without_a_directory_it_asks_until_there_is_one)
{
	start();
	ck_assert_int_lt(asks(100), 10);
	ck_assert_int_eq(rmdir(run_dir), 0);
	ck_assert(is_readable());
	inquiry_continue(&inquiry, 1);
	ck_assert_int_eq(inquiry.watch, -1);
	ck_assert_int_eq(asks(100), 100);
	unit_directory("run", 0755);
	ck_assert_int_lt(asks(100), 10);
	ck_assert_int_ne(inquiry.watch, -1);
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
	ck_assert_int_eq(inquiry.watch, -1);
	inquiry_done(&inquiry);
}
END_TEST

UNIT_SUITE(inquiry)
{
	TCase *tc = unit_case(suite, "inquiry");

	fake_clock_stop_in(tc);
	tcase_add_test(
	    tc, a_change_of_the_rendezvous_lets_it_ask_and_nothing_else_does);
	tcase_add_test(tc, without_a_directory_it_asks_until_there_is_one);
	tcase_add_test(tc, it_does_not_ask_where_it_does_not_know_the_broker);
}
