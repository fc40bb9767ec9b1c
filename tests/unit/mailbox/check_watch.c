/* SPDX-License-Identifier: ISC */
/*
 * Watched directories: what is told of them, and what is not, so that a busy
 * mailbox wakes nobody up.
 */
#include "fixture/unit.h"

#include "fixture/net.h"

#include "engine/mailbox/watch.h"

#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What on_change was told last, and how often it was told anything. */
struct watch_test {
	struct event_base *base;
	struct watch watch;
	unsigned int count;
	int id;
	int gone;
	char name[256];
};

static void
on_change(void *argument, int id, int gone, const char *name)
{
	struct watch_test *test = argument;

	test->count++;
	test->id = id;
	test->gone = gone;
	snprintf(test->name, sizeof(test->name), "%s", name);
}

static void
watch_test_init(struct watch_test *test)
{
	*test = (struct watch_test){.base = event_base_new()};
	ck_assert_ptr_nonnull(test->base);
	ck_assert_int_eq(
	    watch_open(&test->watch, test->base, on_change, test), 0);
}

static void
watch_test_done(struct watch_test *test)
{
	watch_close(&test->watch);
	ck_assert_int_eq(test->watch.fd, -1);
	event_base_free(test->base);
}

/* Handles all that was test; inotify(7) does that before the call that causes
 * it returns. */
static unsigned int
settle(struct watch_test *test)
{
	test->count = 0;
	while (net_polls(test->watch.fd, POLLIN))
		ck_assert_int_eq(event_base_loop(test->base, EVLOOP_ONCE), 0);
	return test->count;
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
	ck_assert_int_ne(fcntl(test.watch.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(test.watch.fd, F_GETFD), FD_CLOEXEC);
	watch_test_done(&test);
}
END_TEST

START_TEST(a_directory_has_one_id_and_others_have_others)
{
	struct watch_test test;
	int a, b;

	watch_test_init(&test);
	a = watch_add(&test.watch, unit_directory("a", 0755));
	b = watch_add(&test.watch, unit_directory("b", 0755));
	ck_assert_int_ge(a, 0);
	ck_assert_int_ge(b, 0);
	ck_assert_int_ne(a, b);
	ck_assert_int_eq(watch_add(&test.watch, unit_path("a")), a);
	ck_assert_int_eq(watch_add(&test.watch, unit_path("b/../a/")), a);
	make_file(unit_path("b/file"));
	ck_assert_uint_eq(settle(&test), 1);
	ck_assert_int_eq(test.id, b);
	make_file(unit_path("a/file"));
	ck_assert_uint_eq(settle(&test), 1);
	ck_assert_int_eq(test.id, a);
	watch_test_done(&test);
}
END_TEST

START_TEST(only_a_directory_that_is_there_is_watched)
{
	struct watch_test test;

	watch_test_init(&test);
	errno = 0;
	ck_assert_int_eq(
	    watch_add(&test.watch, unit_path("absent")), WATCH_NONE);
	ck_assert_int_eq(errno, ENOENT);
	make_file(unit_path("file"));
	ck_assert_int_eq(watch_add(&test.watch, unit_path("file")), WATCH_NONE);
	ck_assert_int_eq(errno, ENOTDIR);
	watch_test_done(&test);
}
END_TEST

START_TEST(names_that_come_go_or_change_are_told)
{
	struct watch_test test;
	int id;

	make_file(unit_path("other"));
	unit_directory("box", 0755);
	watch_test_init(&test);
	id = watch_add(&test.watch, unit_path("box"));
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
		ck_assert_int_eq(test.id, id);
		ck_assert_int_eq(test.gone, 0);
		ck_assert_str_eq(test.name, "name");
	}
	watch_test_done(&test);
}
END_TEST

START_TEST(the_directory_itself_has_no_name)
{
	struct watch_test test;
	int id;

	unit_directory("box", 0755);
	watch_test_init(&test);
	id = watch_add(&test.watch, unit_path("box"));
	ck_assert_int_eq(chmod(unit_path("box"), 0700), 0);
	ck_assert_uint_eq(settle(&test), 1);
	ck_assert_int_eq(test.id, id);
	ck_assert_int_eq(test.gone, 0);
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
	watch_add(&test.watch, unit_path("box"));
	fd = open(unit_path("box/name"), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(write(fd, &byte, 1), 1);
	ck_assert_int_eq(pread(fd, &byte, 1, 0), 1);
	close(fd);
	ck_assert_int_eq(access(unit_path("box/name"), F_OK), 0);
	ck_assert_uint_eq(settle(&test), 0);
	watch_test_done(&test);
}
END_TEST

START_TEST(a_directory_that_goes_is_gone)
{
	struct watch_test test;
	int id;

	unit_directory("box", 0755);
	watch_test_init(&test);
	id = watch_add(&test.watch, unit_path("box"));
	if (_i == 0)
		ck_assert_int_eq(rmdir(unit_path("box")), 0);
	else
		ck_assert_int_eq(
		    rename(unit_path("box"), unit_path("away")), 0);
	ck_assert_uint_ge(settle(&test), 1);
	ck_assert_int_eq(test.id, id);
	ck_assert_int_ne(test.gone, 0);
	watch_test_done(&test);
}
END_TEST

START_TEST(a_directory_that_was_renamed_is_watched_no_more)
{
	struct watch_test test;
	int id, again;

	unit_directory("box", 0755);
	watch_test_init(&test);
	id = watch_add(&test.watch, unit_path("box"));
	ck_assert_int_eq(rename(unit_path("box"), unit_path("away")), 0);
	settle(&test);
	make_file(unit_path("away/name"));
	ck_assert_uint_eq(settle(&test), 0);
	/* Back in its place, it can be watched again. */
	ck_assert_int_eq(rename(unit_path("away"), unit_path("box")), 0);
	again = watch_add(&test.watch, unit_path("box"));
	ck_assert_int_ne(again, id);
	unlink(unit_path("box/name"));
	ck_assert_uint_eq(settle(&test), 1);
	ck_assert_int_eq(test.id, again);
	watch_test_done(&test);
}
END_TEST

START_TEST(more_events_than_one_read_holds_are_all_told)
{
	struct watch_test test;
	char name[128];

	unit_directory("box", 0755);
	watch_test_init(&test);
	watch_add(&test.watch, unit_path("box"));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "box/%0*d", i % 60 + 4, i);
		make_file(unit_path(name));
	}
	ck_assert_uint_eq(settle(&test), 300);
	ck_assert_str_eq(test.name, name + strlen("box/"));
	watch_test_done(&test);
}
END_TEST

START_TEST(lost_events_mean_that_anything_may_have_happened)
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
	watch_add(&test.watch, unit_path("box"));
	/* In turn: an event that is like the last one is merged with it. */
	for (unsigned int i = 0; i <= most; i++)
		chmod(names[i % 2], 0666);
	ck_assert_uint_eq(settle(&test), most + 1);
	ck_assert_int_eq(test.id, WATCH_ALL);
	ck_assert_int_eq(test.gone, 0);
	ck_assert_str_eq(test.name, "");
	watch_test_done(&test);
}
END_TEST

UNIT_SUITE(watch)
{
	TCase *tc = unit_case(suite, "watch");

	tcase_add_test(tc, the_descriptor_does_not_block_and_is_closed_on_exec);
	tcase_add_test(tc, a_directory_has_one_id_and_others_have_others);
	tcase_add_test(tc, only_a_directory_that_is_there_is_watched);
	tcase_add_test(tc, names_that_come_go_or_change_are_told);
	tcase_add_test(tc, the_directory_itself_has_no_name);
	tcase_add_test(tc, use_is_not_told);
	tcase_add_loop_test(tc, a_directory_that_goes_is_gone, 0, 2);
	tcase_add_test(tc, a_directory_that_was_renamed_is_watched_no_more);
	tcase_add_test(tc, more_events_than_one_read_holds_are_all_told);
	tcase_add_test(tc, lost_events_mean_that_anything_may_have_happened);
}
