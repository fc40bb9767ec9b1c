/* SPDX-License-Identifier: ISC */
/*
 * Finding a mailbox, wherever it comes from and goes to, without a timer where
 * inotify(7) is enough.
 */
#include "fixture/unit.h"

#include "fixture/fake_clock.h"
#include "fixture/net.h"
#include "fixture/test_finder.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRIES 8 /* for a mailbox that cannot be reached yet */

START_TEST(a_mailbox_that_is_there_is_found_at_once)
{
	struct test_finder test;
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.found, 1);
	test_finder_reaches(&test, "box", worker);
	ck_assert(!test_finder_is_pending(&test));
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 2);
	ck_assert_uint_eq(test.found, 1); /* it is a known one */
	ck_assert_str_eq(test_finder_log(&test), "");
	/* Its worker is gone and it is not new, so nobody waits for it. */
	close(worker);
	mailbox_close(&test.known[0]);
	test.names[0][0] = '\0';
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 3);
	ck_assert(!test_finder_is_pending(&test));
	test_finder_done(&test);
}
END_TEST

START_TEST(a_mailbox_that_appears_is_found_without_a_timer)
{
	struct test_finder test;
	int worker;

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_set_waiting(&test.finder, 1);
	ck_assert_uint_eq(test.gone, 1);
	ck_assert(!test_finder_is_pending(&test));
	worker = net_bind(unit_path("box"), SOCK_DGRAM);
	test_finder_await(&test, &test.found, 1);
	test_finder_reaches(&test, "box", worker);
	ck_assert_str_eq(test_finder_log(&test), "");
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(other_names_in_the_directory_are_not_looked_at)
{
	static const char *const others[] = {".box", "bo", "box2", "Box"};
	struct test_finder test;

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	for (size_t i = 0; i < UNIT_COUNT(others); i++)
		close(net_bind(unit_path(others[i]), SOCK_DGRAM));
	test_finder_settle(&test);
	ck_assert_uint_eq(test.looks, 0);
	ck_assert_uint_eq(test.gone, 1);
	ck_assert(!test_finder_is_pending(&test));
	test_finder_done(&test);
}
END_TEST

START_TEST(an_absent_directory_is_looked_for_only_while_one_is_wanted)
{
	struct test_finder test;
	const char *said;

	test_finder_init(&test, unit_path("absent/box"), geteuid());
	finder_scan(&test.finder);
	ck_assert(!test_finder_is_pending(&test));
	finder_set_waiting(&test.finder, 1);
	ck_assert(test_finder_is_pending(&test));
	/* It continues, however often it failed. */
	test_finder_await(&test, &test.gone, 2 + 4);
	ck_assert(test_finder_is_pending(&test));
	finder_set_waiting(&test.finder, 0);
	ck_assert(!test_finder_is_pending(&test));
	said = test_finder_log(&test); /* once */
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
	test_finder_done(&test);
}
END_TEST

START_TEST(a_directory_that_appears_is_watched_from_then_on)
{
	struct test_finder test;
	int worker;

	test_finder_init(&test, unit_path("late/box"), geteuid());
	finder_set_waiting(&test.finder, 1);
	unit_directory("late", 0755);
	test_finder_await_rest(&test);
	ck_assert(test.finder.watcher.id != -1);
	ck_assert_uint_eq(test.found, 0);
	worker = net_bind(unit_path("late/box"), SOCK_DGRAM);
	test_finder_await(&test, &test.found, 1);
	test_finder_reaches(&test, "box", worker);
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_directory_may_appear_with_the_mailbox_in_it)
{
	struct test_finder test;
	int worker;

	test_finder_init(&test, unit_path("place/box"), geteuid());
	finder_set_waiting(&test.finder, 1);
	unit_directory("made", 0755);
	worker = net_bind(unit_path("made/box"), SOCK_DGRAM);
	test_finder_settle(&test);
	ck_assert_int_eq(rename(unit_path("made"), unit_path("place")), 0);
	test_finder_await(&test, &test.found, 1);
	test_finder_reaches(&test, "box", worker);
	ck_assert(!test_finder_is_pending(&test));
	test_finder_done(&test);
	close(worker);
}
END_TEST

/* The directory is removed or renamed, and another one is made. */
static void
replace_directory(int moved)
{
	struct test_finder test;
	int worker;

	unit_directory("run", 0755);
	test_finder_init(&test, unit_path("run/box"), geteuid());
	finder_set_waiting(&test.finder, 1);
	ck_assert(!test_finder_is_pending(&test));
	if (moved)
		ck_assert_int_eq(rename(unit_path("run"), unit_path("was")), 0);
	else
		ck_assert_int_eq(rmdir(unit_path("run")), 0);
	test_finder_settle(&test);
	ck_assert(test.finder.watcher.id == -1);
	ck_assert(test_finder_is_pending(&test));
	unit_directory("run", 0755);
	test_finder_await_rest(&test);
	worker = net_bind(unit_path("run/box"), SOCK_DGRAM);
	test_finder_await(&test, &test.found, 1);
	test_finder_reaches(&test, "box", worker);
	test_finder_done(&test);
	close(worker);
}

START_TEST(a_directory_that_is_made_anew_is_watched_anew)
{
	replace_directory(0);
	ck_assert_int_eq(unlink(unit_path("run/box")), 0);
	ck_assert_int_eq(rmdir(unit_path("run")), 0);
	replace_directory(1);
}
END_TEST

START_TEST(a_mailbox_replaced_by_rename_is_another_worker)
{
	struct test_finder test;
	int first = net_bind(unit_path("box"), SOCK_DGRAM), second;

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	second = net_bind(unit_path(".new"), SOCK_DGRAM);
	test_finder_settle(&test);
	ck_assert_uint_eq(test.found, 1);
	test_finder_reaches(&test, "box", first);
	ck_assert_int_eq(rename(unit_path(".new"), unit_path("box")), 0);
	test_finder_await(&test, &test.found, 2);
	test_finder_reaches(&test, "box", second);
	test_finder_settle(&test);
	ck_assert_uint_eq(test.gone, 0);
	test_finder_done(&test);
	close(first);
	close(second);
}
END_TEST

START_TEST(a_mailbox_that_is_removed_or_renamed_is_gone)
{
	struct test_finder test;
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	ck_assert_int_eq(rename(unit_path("box"), unit_path("away")), 0);
	test_finder_await(&test, &test.gone, 1);
	ck_assert_ptr_null(test_finder_find(&test, "box"));
	ck_assert_int_eq(rename(unit_path("away"), unit_path("box")), 0);
	test_finder_await(&test, &test.found, 2);
	ck_assert_int_eq(unlink(unit_path("box")), 0);
	/* Perhaps reported twice: its link count, then its name. */
	test_finder_settle(&test);
	ck_assert_uint_ge(test.gone, 2);
	ck_assert_ptr_null(test_finder_find(&test, "box"));
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_mailbox_that_refuses_is_tried_for_a_while)
{
	struct test_finder test;

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	close(net_bind(unit_path("box"), SOCK_DGRAM));
	test_finder_await(&test, &test.looks, 1);
	test_finder_await_rest(&test);
	ck_assert_uint_eq(test.looks, 1 + TRIES);
	ck_assert_uint_eq(test.found, 0);
	ck_assert_str_eq(test_finder_log(&test), "");
	test_finder_done(&test);
}
END_TEST

START_TEST(a_mailbox_made_just_before_the_watch_is_tried_as_long)
{
	struct test_finder test;

	/* Its creation was not reported: the watch is newer. */
	close(net_bind(unit_path("box"), SOCK_DGRAM));
	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 1);
	test_finder_await_rest(&test);
	ck_assert_uint_eq(test.looks, 1 + TRIES);
	finder_scan(&test.finder);
	ck_assert(!test_finder_is_pending(&test));
	ck_assert_str_eq(test_finder_log(&test), "");
	test_finder_done(&test);
}
END_TEST

/* The clock stands still, so these come within a moment. */
START_TEST(of_many_changes_a_scan_finds_what_they_have_become)
{
	struct test_finder test;
	char name[32];
	int worker;

	unit_directory("many", 0755);
	test_finder_init(&test, unit_path("many/"), geteuid());
	finder_scan(&test.finder);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		close(net_bind(unit_path(name), SOCK_DGRAM));
		ck_assert_int_eq(unlink(unit_path(name)), 0);
	}
	worker = net_bind(unit_path("many/box"), SOCK_DGRAM);
	for (int i = 0; i < 20; i++)
		test_finder_settle(&test);
	ck_assert_uint_ge(test.gone, 60);
	ck_assert_uint_le(test.gone, 64);
	ck_assert_uint_eq(test.found, 0);
	ck_assert(test_finder_is_pending(&test));
	fake_clock.passed_us += 100000;
	timer_stop(&test.finder.retry);
	test.finder.retry.on_time(test.finder.retry.owner);
	ck_assert_uint_eq(test.found, 1);
	test_finder_reaches(&test, "box", worker);
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_path_has_to_fit_and_to_have_a_directory)
{
	static const struct finder_callbacks callbacks = {0};
	struct finder finder;
	struct test_finder test;
	char path[RECORD_PATH_SIZE + 1];

	test_finder_init(&test, unit_path("box"), geteuid());
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[RECORD_PATH_SIZE] = '\0';
	errno = 0;
	ck_assert_int_eq(finder_init(&finder, &test.watch, &test.engine_log,
			     path, 0, &callbacks, NULL),
	    -1);
	ck_assert_int_eq(errno, EINVAL);
	path[RECORD_PATH_SIZE - 1] = '\0';
	ck_assert_int_eq(finder_init(&finder, &test.watch, &test.engine_log,
			     path, 0, &callbacks, NULL),
	    0);
	ck_assert_str_eq(finder.directory, "/");
	ck_assert_str_eq(finder.name, path + 1);
	finder_done(&finder);
	ck_assert_int_eq(finder_init(&finder, &test.watch, &test.engine_log,
			     "box", 0, &callbacks, NULL),
	    -1);
	test_finder_done(&test);
}
END_TEST

/* Also if a name comes and goes. */
START_TEST(too_many_are_not_said_until_a_minute_has_passed)
{
	struct test_finder test;
	struct mailbox_errors *errors = &test.finder.errors;
	char name[16] = "0";

	test_finder_init(&test, unit_path("box"), geteuid());
	for (int i = 0; i < 3 * MAILBOX_ERRORS_MAX; i++) {
		if (_i == 0)
			snprintf(name, sizeof(name), "%d", i);
		mailbox_errors_report(errors, name, EPERM, 1);
		mailbox_errors_on_used(errors, name);
		ck_assert((test_finder_log(&test)[0] != '\0') ==
		    (i < MAILBOX_ERRORS_MAX));
	}
	errors->since_ms -= MAILBOX_ERRORS_MS;
	mailbox_errors_report(errors, name, EPERM, 1);
	ck_assert_str_ne(test_finder_log(&test), "");
	test_finder_done(&test);
}
END_TEST

UNIT_SUITE(finder)
{
	TCase *tc = unit_case(suite, "finder");

	tcase_add_test(tc, a_mailbox_that_is_there_is_found_at_once);
	tcase_add_test(tc, a_mailbox_that_appears_is_found_without_a_timer);
	tcase_add_test(tc, other_names_in_the_directory_are_not_looked_at);
	tcase_add_test(
	    tc, an_absent_directory_is_looked_for_only_while_one_is_wanted);
	tcase_add_test(tc, a_directory_that_appears_is_watched_from_then_on);
	tcase_add_test(tc, a_directory_may_appear_with_the_mailbox_in_it);
	tcase_add_test(tc, a_directory_that_is_made_anew_is_watched_anew);
	tcase_add_test(tc, a_mailbox_replaced_by_rename_is_another_worker);
	tcase_add_test(tc, a_mailbox_that_is_removed_or_renamed_is_gone);
	tcase_add_test(tc, a_mailbox_that_refuses_is_tried_for_a_while);
	tcase_add_test(
	    tc, a_mailbox_made_just_before_the_watch_is_tried_as_long);
	tcase_add_test(tc, a_path_has_to_fit_and_to_have_a_directory);
	tc = unit_case(suite, "many changes");
	fake_clock_stop_in(tc);
	tcase_add_test(tc, of_many_changes_a_scan_finds_what_they_have_become);
	tcase_add_loop_test(
	    tc, too_many_are_not_said_until_a_minute_has_passed, 0, 2);
}
