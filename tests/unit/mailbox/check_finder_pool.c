/* SPDX-License-Identifier: ISC */
/*
 * Finding the mailboxes of a directory: all of them, and independently of each
 * other.
 */
#include "fixture/unit.h"

#include "fixture/fake_clock.h"
#include "fixture/net.h"
#include "fixture/test_finder.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRIES 8 /* for a mailbox that cannot be reached yet */

static void
pool_init(struct test_finder *test)
{
	unit_directory("pool", 0755);
	test_finder_init(test, unit_path("pool/"), geteuid());
}

START_TEST(all_that_are_there_are_found_at_once)
{
	struct test_finder test;
	int a, b, hidden;

	pool_init(&test);
	a = net_bind(unit_path("pool/a"), SOCK_DGRAM);
	b = net_bind(unit_path("pool/b"), SOCK_DGRAM);
	hidden = net_bind(unit_path("pool/.c"), SOCK_DGRAM);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.found, 2);
	test_finder_reaches(&test, "a", a);
	test_finder_reaches(&test, "b", b);
	ck_assert_ptr_null(test_finder_find(&test, ".c"));
	test_finder_done(&test);
	close(a);
	close(b);
	close(hidden);
}
END_TEST

START_TEST(one_that_appears_is_found_when_it_has_its_name)
{
	struct test_finder test;
	int a;

	pool_init(&test);
	finder_set_waiting(&test.finder, 1);
	ck_assert(!test_finder_is_pending(&test));
	a = net_bind(unit_path("pool/.a"), SOCK_DGRAM);
	test_finder_settle(&test);
	ck_assert_uint_eq(test.looks, 0);
	ck_assert_int_eq(rename(unit_path("pool/.a"), unit_path("pool/a")), 0);
	test_finder_await(&test, &test.found, 1);
	test_finder_reaches(&test, "a", a);
	test_finder_done(&test);
	close(a);
}
END_TEST

START_TEST(one_that_goes_leaves_the_others)
{
	struct test_finder test;
	int a, b;

	pool_init(&test);
	a = net_bind(unit_path("pool/a"), SOCK_DGRAM);
	b = net_bind(unit_path("pool/b"), SOCK_DGRAM);
	finder_scan(&test.finder);
	ck_assert_int_eq(unlink(unit_path("pool/a")), 0);
	test_finder_settle(&test);
	ck_assert_uint_ge(test.gone, 1);
	ck_assert_ptr_null(test_finder_find(&test, "a"));
	test_finder_reaches(&test, "b", b);
	test_finder_done(&test);
	close(a);
	close(b);
}
END_TEST

START_TEST(what_cannot_be_used_does_not_hide_what_can)
{
	struct test_finder test;
	int a, b, c;

	pool_init(&test);
	a = net_bind(unit_path("pool/a"), SOCK_STREAM);
	b = net_bind(unit_path("pool/b"), SOCK_DGRAM);
	c = net_bind(unit_path("pool/c"), SOCK_STREAM);
	close(net_bind(unit_path("pool/d"), SOCK_DGRAM));
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.found, 1);
	test_finder_reaches(&test, "b", b);
	ck_assert_ptr_nonnull(strstr(test_finder_log(&test), "SOCK_DGRAM"));
	test_finder_done(&test);
	close(a);
	close(b);
	close(c);
}
END_TEST

START_TEST(each_that_cannot_be_used_is_said_once)
{
	struct test_finder test;
	const char *text;
	int fds[3];

	pool_init(&test);
	fds[0] = net_bind(unit_path("pool/a"), SOCK_STREAM);
	fds[1] = net_bind(unit_path("pool/b"), SOCK_STREAM);
	fds[2] = net_bind(unit_path("pool/c"), SOCK_SEQPACKET);
	finder_scan(&test.finder);
	text = test_finder_log(&test);
	for (const char *name = "abc"; *name != '\0'; name++) {
		char path[] = {'p', 'o', 'o', 'l', '/', *name, ':', '\0'};

		ck_assert_msg(strstr(text, path) != NULL, "%s", text);
	}
	for (int i = 0; i < 3; i++)
		finder_scan(&test.finder);
	ck_assert_str_eq(test_finder_log(&test), "");
	test_finder_done(&test);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}
END_TEST

START_TEST(many_that_cannot_be_used_do_not_fill_the_log)
{
	struct test_finder test;
	const char *text;
	char name[16];
	unsigned int lines = 0;
	int fds[2 * MAILBOX_ERRORS_MAX];

	pool_init(&test);
	for (int i = 0; i < 2 * MAILBOX_ERRORS_MAX; i++) {
		snprintf(name, sizeof(name), "pool/%d", i);
		fds[i] = net_bind(unit_path(name), SOCK_STREAM);
	}
	finder_scan(&test.finder);
	finder_scan(&test.finder);
	text = test_finder_log(&test);
	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	ck_assert_uint_eq(lines, MAILBOX_ERRORS_MAX);
	text = strstr(text, "no more of this directory for a minute\n");
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(strchr(text, '\n')[1], '\0');
	test_finder_done(&test);
	for (int i = 0; i < 2 * MAILBOX_ERRORS_MAX; i++)
		close(fds[i]);
}
END_TEST

START_TEST(a_name_that_appears_is_tried_for_a_while)
{
	struct test_finder test;

	pool_init(&test);
	finder_scan(&test.finder);
	test.finder.settling = 0; /* the directory is not new */
	close(net_bind(unit_path("pool/a"), SOCK_DGRAM));
	test_finder_settle(&test);
	ck_assert(test_finder_is_pending(&test));
	test_finder_done(&test);
}
END_TEST

START_TEST(one_that_is_found_does_not_end_the_patience_with_another)
{
	struct test_finder test;
	int b;

	pool_init(&test);
	finder_scan(&test.finder);
	close(net_bind(unit_path("pool/a"), SOCK_DGRAM));
	b = net_bind(unit_path("pool/b"), SOCK_DGRAM);
	test_finder_await(&test, &test.found, 1);
	ck_assert_uint_eq(test.looks, 2);
	test_finder_await_rest(&test);
	ck_assert_uint_eq(test.looks, 2 + 2 * TRIES);
	test_finder_done(&test);
	close(b);
}
END_TEST

START_TEST(changes_of_the_directory_itself_bring_few_scans)
{
	const struct watch_callbacks *callbacks;
	struct test_finder test;
	int a;

	pool_init(&test);
	callbacks = test.finder.watcher.callbacks;
	a = net_bind(unit_path("pool/a"), SOCK_DGRAM);
	finder_scan(&test.finder);
	test.looks = 0;
	fake_clock.stopped = 1;
	for (unsigned int i = 1; i <= 3; i++) {
		for (int j = 0; j < 10; j++)
			callbacks->on_change(&test.finder, "");
		ck_assert_uint_eq(test.looks, i);
		fake_clock.passed_us += 10000;
	}
	/* The last change is not forgotten. */
	ck_assert(test_finder_is_pending(&test));
	callbacks->on_end(&test.finder);
	callbacks->on_change(&test.finder, "");
	ck_assert_uint_eq(test.looks, 4);
	fake_clock.stopped = 0; /* Check calls the clock too */
	test_finder_done(&test);
	close(a);
}
END_TEST

START_TEST(what_is_no_socket_is_passed_over)
{
	struct test_finder test;
	char name[32];
	int a;

	pool_init(&test);
	ck_assert_int_eq(chdir(unit_path("pool")), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ck_assert_int_eq(i % 2 == 0 ? symlink("x", name) :
					      mknod(name, S_IFREG | 0600, 0),
		    0);
	}
	a = net_bind("a", SOCK_DGRAM);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 1);
	test_finder_reaches(&test, "a", a);
	ck_assert_str_eq(test_finder_log(&test), "");
	test_finder_done(&test);
	close(a);
}
END_TEST

UNIT_SUITE(finder_pool)
{
	TCase *tc = unit_case(suite, "finder_pool");

	tcase_add_test(tc, all_that_are_there_are_found_at_once);
	tcase_add_test(tc, one_that_appears_is_found_when_it_has_its_name);
	tcase_add_test(tc, one_that_goes_leaves_the_others);
	tcase_add_test(tc, a_name_that_appears_is_tried_for_a_while);
	tcase_add_test(tc, what_is_no_socket_is_passed_over);
	tcase_add_test(tc, what_cannot_be_used_does_not_hide_what_can);
	tcase_add_test(tc, each_that_cannot_be_used_is_said_once);
	tcase_add_test(tc, many_that_cannot_be_used_do_not_fill_the_log);
	tcase_add_test(
	    tc, one_that_is_found_does_not_end_the_patience_with_another);
	tcase_add_test(tc, changes_of_the_directory_itself_bring_few_scans);
}
