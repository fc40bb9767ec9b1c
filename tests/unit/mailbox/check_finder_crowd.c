/* SPDX-License-Identifier: ISC */
/*
 * Scans of a directory that somebody fills with names.
 */
#include "fixture/unit.h"

#include "fixture/fake_clock.h"
#include "fixture/net.h"
#include "fixture/test_finder.h"

#include "base/clock.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS_MOST 1024
#define SOCKETS_MANY 64
#define NAMES_MANY 4096
#define NAMES_HEARD 256

static void
pool_init(struct test_finder *test)
{
	unit_directory("pool", 0755);
	test_finder_init(test, unit_path("pool/"), geteuid());
	ck_assert_int_eq(chdir(unit_path("pool")), 0);
}

static void
make_sockets(int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		close(net_bind(name, SOCK_DGRAM));
	}
}

/* The next part of a scan. */
static void
go_on(struct test_finder *test)
{
	struct timer *next = &test->finder.scan.next;

	ck_assert(timer_is_set(next));
	timer_stop(next);
	next->on_time(next->owner);
}

/* In any order of the directory. */
START_TEST(a_scan_of_too_many_comes_to_an_end_and_says_so)
{
	struct test_finder test;
	const char *log;

	pool_init(&test);
	make_sockets(SOCKETS_MOST + _i);
	fake_clock.stopped = 1;
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, SOCKETS_MOST);
	log = test_finder_log(&test);
	ck_assert_int_eq(strstr(log, "too many") != NULL, _i);
	fake_clock.passed_us = 999999;
	finder_scan(&test.finder);
	while (test.finder.scan.stage != FINDER_IDLE)
		go_on(&test);
	ck_assert_uint_eq(test.looks, 2 * SOCKETS_MOST);
	ck_assert_str_eq(test_finder_log(&test), ""); /* within a second */
	fake_clock.stopped = 0; /* Check calls the clock too */
	test_finder_done(&test);
}
END_TEST

/* However often scans are asked for.  Each call of the clock takes 1 ms. */
START_TEST(a_scan_of_many_is_followed_by_a_rest)
{
	const struct watch_callbacks *callbacks;
	struct test_finder test;
	uint64_t begun_us, ended_us;

	pool_init(&test);
	make_sockets(SOCKETS_MANY - 1 + _i);
	callbacks = test.finder.watcher.callbacks;
	fake_clock.stopped = 1;
	fake_clock.step_us = 1000;
	begun_us = clock_us();
	finder_scan(&test.finder);
	fake_clock.step_us = 0;
	ended_us = clock_us();
	if (_i == 1) {
		ck_assert_uint_ge(test.finder.rest_until_us - begun_us,
		    3 * (ended_us - begun_us));
		/* The scan after it comes, whether a connection waits or not.
		 */
		timer_stop(&test.finder.retry);
		test.finder.settling = 0;
		finder_scan(&test.finder);
		finder_set_waiting(&test.finder, 0);
		ck_assert(test_finder_is_pending(&test));
		fake_clock.passed_us +=
		    test.finder.rest_until_us - ended_us - 1;
	}
	test.looks = 0;
	for (int i = 0; _i == 1 && i < 3; i++) {
		finder_scan(&test.finder);
		callbacks->on_change(&test.finder, "");
		callbacks->on_end(&test.finder);
	}
	ck_assert_uint_eq(test.looks, 0);
	fake_clock.passed_us += _i == 1;
	finder_scan(&test.finder);
	ck_assert_int_eq((int)test.looks, SOCKETS_MANY - 1 + _i);
	fake_clock.stopped = 0; /* Check calls the clock too */
	test_finder_done(&test);
}
END_TEST

/* "." and ".." are names too. */
START_TEST(a_scan_of_many_names_is_followed_by_a_rest)
{
	struct test_finder test;
	char name[32];
	int fd;

	pool_init(&test);
	for (int i = 0; i < NAMES_MANY - 3 + _i; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ne(fd, -1);
		close(fd);
	}
	finder_scan(&test.finder);
	ck_assert_int_eq(test.finder.rest_until_us != 0, _i);
	test_finder_done(&test);
}
END_TEST

/* But the first one is done at once. */
START_TEST(a_scan_of_many_lets_others_have_their_turn)
{
	struct test_finder test;

	pool_init(&test);
	make_sockets(3 * SOCKETS_MANY);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 3 * SOCKETS_MANY);
	test.finder.rest_until_us = 0;
	fake_clock.stopped = 1;
	for (unsigned int i = 1; i <= 3; i++) {
		if (i == 1)
			finder_scan(&test.finder);
		else
			go_on(&test);
		ck_assert_uint_eq(test.looks, (3 + i) * SOCKETS_MANY);
		ck_assert(timer_is_set(&test.finder.scan.next));
		ck_assert_uint_eq(test.finder.rest_until_us, 0);
	}
	fake_clock.stopped = 0; /* Check calls the clock too */
	/* Its part that has been may have missed something. */
	timer_stop(&test.finder.retry);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 6 * SOCKETS_MANY);
	go_on(&test);
	ck_assert_uint_ne(test.finder.rest_until_us, 0);
	ck_assert(timer_is_set(&test.finder.retry));
	ck_assert(!timer_is_set(&test.finder.scan.next));
	test_finder_done(&test);
}
END_TEST

static unsigned int checked;

static const char *
known_of_many(void *owner, unsigned int number)
{
	static char name[32];

	(void)owner;
	snprintf(name, sizeof(name), "gone%u", number);
	return number < 2 * SOCKETS_MANY + 1 ? name : NULL;
}

static void
count_gone(void *owner, const char *name)
{
	(void)owner;
	(void)name;
	checked++;
}

/* Nothing tells that they are gone. */
START_TEST(mailboxes_that_cannot_be_watched_are_checked_in_parts)
{
	static const struct finder_callbacks callbacks = {
	    .known = known_of_many, .on_gone = count_gone};
	struct test_finder test;

	pool_init(&test);
	finder_scan(&test.finder);
	test.finder.callbacks = &callbacks;
	test.watch.limited = 1;
	test.finder.watcher.limited = 1;
	checked = 0;
	fake_clock.stopped = 1;
	finder_scan(&test.finder);
	for (unsigned int i = 0; i <= 2; i++) {
		ck_assert_uint_eq(checked, i * SOCKETS_MANY);
		finder_scan(&test.finder); /* goes on, but no faster */
		go_on(&test);
	}
	ck_assert_uint_eq(checked, 2 * SOCKETS_MANY + 1);
	ck_assert_int_eq((int)test.finder.scan.stage, FINDER_IDLE);
	ck_assert_uint_ge(test.finder.rest_until_us, 1);
	ck_assert(test_finder_is_pending(&test));
	fake_clock.stopped = 0; /* Check calls the clock too */
	test_finder_done(&test);
}
END_TEST

START_TEST(names_that_change_without_end_are_not_even_read)
{
	const struct watch_callbacks *callbacks;
	struct test_finder test;

	pool_init(&test);
	callbacks = test.finder.watcher.callbacks;
	finder_scan(&test.finder);
	fake_clock.stopped = 1;
	for (int i = 0; i < NAMES_HEARD; i++)
		callbacks->on_change(&test.finder, ".hidden");
	ck_assert_int_ne(test.finder.watcher.id, -1);
	callbacks->on_change(&test.finder, ".hidden");
	ck_assert_int_eq(test.finder.watcher.id, -1);
	ck_assert(test_finder_is_pending(&test));
	timer_stop(&test.finder.retry);
	fake_clock.passed_us += 100000;
	test.finder.retry.on_time(&test.finder);
	ck_assert_int_ne(test.finder.watcher.id, -1);
	fake_clock.stopped = 0; /* Check calls the clock too */
	test_finder_done(&test);
}
END_TEST

/* A reload may come in the middle of one. */
START_TEST(a_scan_may_be_broken_off)
{
	struct test_finder test;

	pool_init(&test);
	make_sockets(2 * SOCKETS_MANY);
	test.finder.scan.first = 0;
	finder_scan(&test.finder);
	ck_assert_ptr_nonnull(test.finder.scan.directory.dir);
	test_finder_done(&test); /* no descriptor is left open */
}
END_TEST

UNIT_SUITE(finder_crowd)
{
	TCase *tc = unit_case(suite, "finder_crowd");

	tcase_add_test(tc, a_scan_of_many_lets_others_have_their_turn);
	tcase_add_test(
	    tc, mailboxes_that_cannot_be_watched_are_checked_in_parts);
	tcase_add_test(tc, names_that_change_without_end_are_not_even_read);
	tcase_add_test(tc, a_scan_may_be_broken_off);
	tcase_add_loop_test(
	    tc, a_scan_of_too_many_comes_to_an_end_and_says_so, 0, 2);
	tcase_add_loop_test(tc, a_scan_of_many_is_followed_by_a_rest, 0, 2);
	tcase_add_loop_test(
	    tc, a_scan_of_many_names_is_followed_by_a_rest, 0, 2);
}
