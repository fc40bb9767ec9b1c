/* SPDX-License-Identifier: ISC */
/*
 * Watched directories: changes that are reported and those that are not, so
 * that a busy mailbox wakes nobody up.
 */
#include "fixture/unit.h"

#include "fixture/net.h"

#include "base/log.h"
#include "engine/mailbox/watch.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A watcher, and the last change that was reported to it. */
struct watch_test {
	struct event_base *base;
	struct log log;
	struct watch watch;
	struct watcher watcher;
	unsigned int changes;
	unsigned int ends;
	char name[256];
};

static void
on_change(void *owner, const char *name)
{
	struct watch_test *test = owner;

	test->changes++;
	snprintf(test->name, sizeof(test->name), "%s", name);
}

static void
on_end(void *owner)
{
	struct watch_test *test = owner;

	ck_assert(test->watcher.id == -1);
	test->ends++;
}

static const struct watch_callbacks callbacks = {on_change, on_end};

static void
watch_test_init(struct watch_test *test)
{
	*test = (struct watch_test){.base = event_base_new()};
	ck_assert_ptr_nonnull(test->base);
	unsetenv("JOURNAL_STREAM");
	log_init(&test->log, "engine", memfd_create("log", MFD_CLOEXEC));
	watch_open(&test->watch, test->base, &test->log);
	watcher_init(&test->watcher, &test->watch, &callbacks, test);
	ck_assert(test->watcher.id == -1);
}

static void
start(struct watch_test *test, const char *directory)
{
	ck_assert_int_eq(watcher_start(&test->watcher, directory), 0);
	ck_assert(test->watcher.id != -1);
}

static void
watch_test_done(struct watch_test *test)
{
	watcher_done(&test->watcher);
	watch_close(&test->watch);
	ck_assert_int_eq(test->watch.fd, -1);
	event_base_free(test->base);
	close(test->log.fd);
}

/* Handles all events, which are queued before the call that causes them
 * returns.  Returns the number of reported changes. */
static unsigned int
settle(struct watch_test *test)
{
	test->changes = test->ends = 0;
	while (net_polls(test->watch.fd, POLLIN))
		ck_assert_int_eq(event_base_loop(test->base, EVLOOP_ONCE), 0);
	return test->changes;
}

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
}

START_TEST(the_descriptor_does_not_block_and_is_closed_on_exec)
{
	struct watch_test test;

	watch_test_init(&test);
	start(&test, unit_path(""));
	ck_assert_int_ne(fcntl(test.watch.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(test.watch.fd, F_GETFD), FD_CLOEXEC);
	watch_test_done(&test);
}
END_TEST

START_TEST(each_watcher_is_told_of_its_directory)
{
	struct watch_test test;
	struct watch_test others[2] = {{.changes = 0}};

	unit_directory("a", 0755);
	unit_directory("b", 0755);
	watch_test_init(&test);
	for (int i = 0; i < 2; i++)
		watcher_init(
		    &others[i].watcher, &test.watch, &callbacks, &others[i]);
	start(&test, unit_path("a"));
	start(&others[0], unit_path("b/../a/"));
	start(&others[1], unit_path("b"));
	make_file(unit_path("b/file"));
	ck_assert_uint_eq(settle(&test), 0);
	ck_assert_uint_eq(others[0].changes, 0);
	ck_assert_uint_eq(others[1].changes, 1);
	make_file(unit_path("a/name"));
	ck_assert_uint_eq(settle(&test), 1);
	ck_assert_uint_eq(others[0].changes, 1);
	ck_assert_str_eq(others[0].name, "name");
	ck_assert_uint_eq(others[1].changes, 1);
	for (int i = 0; i < 2; i++)
		watcher_done(&others[i].watcher);
	make_file(unit_path("b/name"));
	ck_assert_uint_eq(settle(&test), 0);
	ck_assert_uint_eq(others[1].changes, 1);
	watch_test_done(&test);
}
END_TEST

START_TEST(only_a_directory_that_is_there_is_watched)
{
	struct watch_test test;

	watch_test_init(&test);
	errno = 0;
	ck_assert_int_eq(watcher_start(&test.watcher, unit_path("absent")), -1);
	ck_assert_int_eq(errno, ENOENT);
	make_file(unit_path("file"));
	ck_assert_int_eq(watcher_start(&test.watcher, unit_path("file")), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert(test.watcher.id == -1);
	watch_test_done(&test);
}
END_TEST

static const char *
logged(const struct watch_test *test)
{
	static char text[1024];
	ssize_t n = pread(test->log.fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Descriptors stand for inotify instances: both limits are EMFILE. */
static void
limit_body(void *argument)
{
	struct rlimit files = {3, 4096}, before;
	struct watch_test test;

	(void)argument;
	watch_test_init(&test);
	watch_close(&test.watch);
	unit_must(getrlimit(RLIMIT_NOFILE, &before) == 0);
	files.rlim_max = before.rlim_max;
	unit_must(setrlimit(RLIMIT_NOFILE, &files) == 0);
	for (int i = 0; i < 2; i++) {
		unit_must(watcher_start(&test.watcher, unit_path("")) == -1);
		unit_must(errno == EMFILE && test.watcher.limited);
		unit_must(test.watch.limited == 1);
		unit_must(strstr(watch_advice(&test.watch),
			      "fs.inotify.max_user_instances") != NULL);
	}
	unit_must(setrlimit(RLIMIT_NOFILE, &before) == 0);
	/* What is wrong with the directory is no limit. */
	unit_must(watcher_start(&test.watcher, unit_path("absent")) == -1);
	unit_must(watch_advice(&test.watch) == NULL);
	unit_must(watcher_start(&test.watcher, unit_path("")) == 0);
	unit_must(strcmp(logged(&test),
		      "engine: mailboxes: cannot be watched: no inotify "
		      "instance is left: raise fs.inotify.max_user_instances, "
		      "see inotify(7): looking for them every second\n"
		      "engine: mailboxes: are watched again\n") == 0);
	watch_test_done(&test);
}

START_TEST(a_limit_is_told_once_and_tried_again)
{
	unit_in_child(limit_body, NULL);
}
END_TEST

START_TEST(a_watcher_that_ends_is_limited_no_more)
{
	struct watch_test test;

	watch_test_init(&test);
	test.watcher.limited = 1;
	test.watch.limited = 1;
	test.watch.error = ENOSPC;
	ck_assert_ptr_nonnull(
	    strstr(watch_advice(&test.watch), "max_user_watches"));
	watcher_done(&test.watcher);
	ck_assert_ptr_null(watch_advice(&test.watch));
	watcher_init(&test.watcher, &test.watch, &callbacks, &test);
	watch_test_done(&test);
}
END_TEST

START_TEST(names_that_come_go_or_change_are_told)
{
	struct watch_test test;

	make_file(unit_path("other"));
	unit_directory("box", 0755);
	watch_test_init(&test);
	start(&test, unit_path("box"));
	for (int step = 0; step < 5; step++) {
		if (step == 0)
			make_file(unit_path("box/name"));
		else if (step == 1)
			chmod(unit_path("box/name"), 0666);
		else if (step == 2)
			rename(unit_path("box/name"), unit_path("away"));
		else if (step == 3)
			rename(unit_path("away"), unit_path("box/name"));
		else
			unlink(unit_path("box/name"));
		ck_assert_msg(settle(&test) >= 1, "step %d", step);
		ck_assert_uint_eq(test.ends, 0);
		ck_assert_str_eq(test.name, "name");
	}
	watch_test_done(&test);
}
END_TEST

START_TEST(the_directory_itself_has_no_name)
{
	struct watch_test test;

	unit_directory("box", 0755);
	watch_test_init(&test);
	start(&test, unit_path("box"));
	ck_assert_int_eq(chmod(unit_path("box"), 0700), 0);
	ck_assert_uint_eq(settle(&test), 1);
	ck_assert_uint_eq(test.ends, 0);
	ck_assert_str_eq(test.name, "");
	watch_test_done(&test);
}
END_TEST

START_TEST(use_is_not_told)
{
	struct watch_test test;
	char byte = 'a';
	int fd;

	unit_directory("box", 0755);
	make_file(unit_path("box/name"));
	watch_test_init(&test);
	start(&test, unit_path("box"));
	fd = open(unit_path("box/name"), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(write(fd, &byte, 1), 1);
	ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
	close(fd);
	ck_assert_int_eq(access(unit_path("box/name"), F_OK), 0);
	ck_assert_uint_eq(settle(&test), 0);
	watch_test_done(&test);
}
END_TEST

START_TEST(a_directory_that_goes_ends_the_watch)
{
	struct watch_test test;

	unit_directory("box", 0755);
	watch_test_init(&test);
	start(&test, unit_path("box"));
	if (_i == 0)
		ck_assert_int_eq(rmdir(unit_path("box")), 0);
	else
		ck_assert_int_eq(
		    rename(unit_path("box"), unit_path("away")), 0);
	settle(&test);
	ck_assert_uint_eq(test.ends, 1);
	watch_test_done(&test);
}
END_TEST

START_TEST(a_directory_that_was_renamed_is_watched_no_more)
{
	struct watch_test test;

	unit_directory("box", 0755);
	watch_test_init(&test);
	start(&test, unit_path("box"));
	ck_assert_int_eq(rename(unit_path("box"), unit_path("away")), 0);
	settle(&test);
	make_file(unit_path("away/name"));
	ck_assert_uint_eq(settle(&test), 0);
	/* When it is back in its place, it can be watched again. */
	ck_assert_int_eq(rename(unit_path("away"), unit_path("box")), 0);
	start(&test, unit_path("box"));
	unlink(unit_path("box/name"));
	ck_assert_uint_eq(settle(&test), 1);
	watch_test_done(&test);
}
END_TEST

START_TEST(more_events_than_one_read_holds_are_all_told)
{
	struct watch_test test;
	char name[128];

	unit_directory("box", 0755);
	watch_test_init(&test);
	start(&test, unit_path("box"));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "box/%0*d", i % 60 + 4, i);
		make_file(unit_path(name));
	}
	ck_assert_uint_eq(settle(&test), 300);
	ck_assert_str_eq(test.name, name + strlen("box/"));
	watch_test_done(&test);
}
END_TEST

START_TEST(lost_events_end_the_watch)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	const char *names[] = {unit_path("box/a"), unit_path("box/b")};
	struct watch_test test;
	unsigned int most;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%u", &most), 1);
	fclose(file);
	if (most > 50000) {
		unit_skip("the queue is too long to fill");
		return;
	}
	unit_directory("box", 0755);
	watch_test_init(&test);
	for (int i = 0; i < 2; i++)
		make_file(names[i]);
	start(&test, unit_path("box"));
	/* In turn, since an event is merged with the one before if both are
	 * equal. */
	for (unsigned int i = 0; i <= most; i++)
		chmod(names[i % 2], 0666);
	ck_assert_uint_eq(settle(&test), most);
	ck_assert_uint_eq(test.ends, 1);
	start(&test, unit_path("box"));
	unlink(names[0]);
	ck_assert_uint_eq(settle(&test), 1);
	watch_test_done(&test);
}
END_TEST

UNIT_SUITE(watch)
{
	TCase *tc = unit_case(suite, "watch");

	tcase_add_test(tc, the_descriptor_does_not_block_and_is_closed_on_exec);
	tcase_add_test(tc, each_watcher_is_told_of_its_directory);
	tcase_add_test(tc, a_limit_is_told_once_and_tried_again);
	tcase_add_test(tc, a_watcher_that_ends_is_limited_no_more);
	tcase_add_test(tc, only_a_directory_that_is_there_is_watched);
	tcase_add_test(tc, names_that_come_go_or_change_are_told);
	tcase_add_test(tc, the_directory_itself_has_no_name);
	tcase_add_test(tc, use_is_not_told);
	tcase_add_loop_test(tc, a_directory_that_goes_ends_the_watch, 0, 2);
	tcase_add_test(tc, a_directory_that_was_renamed_is_watched_no_more);
	tcase_add_test(tc, more_events_than_one_read_holds_are_all_told);
	tcase_add_test(tc, lost_events_end_the_watch);
}
