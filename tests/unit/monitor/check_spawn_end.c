/* SPDX-License-Identifier: ISC */
/*
 * How the monitor learns of the end of its child.
 */
#include "fixture/test_child.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "monitor/spawn.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *what;
	const char *argument;
	int status;
} ends[] = {
    {"exit", "0", 0},
    {"exit", "1", 1},
    {"exit", "77", 77},
    {"exit", "255", 255},
    {"signal", "9", -SIGKILL},
    {"signal", "15", -SIGTERM},
};

static void
end_body(void *argument)
{
	int i = *(int *)argument;
	struct test_child child;

	test_process_descriptors();
	test_child_init(&child, ends[i].what, ends[i].argument);
	unit_must(test_child_run(&child) == ends[i].status);
	unit_must(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

START_TEST(the_status_says_how_a_child_ended)
{
	if (test_process_is_for_all())
		unit_in_child(end_body, &_i);
}
END_TEST

static void
limit_body(void *argument)
{
	uint64_t start_ms, limit_ms = *(uint64_t *)argument;
	struct test_child child;
	char byte;
	pid_t pid;

	test_process_descriptors();
	test_child_init(&child, "wait", "0");
	pid = spawn_start(&child.spawn, &child.log);
	unit_must(pid > 0);
	unit_must(read(child.out[0], &byte, 1) == 1 && byte == 'x');
	start_ms = clock_ms();
	unit_must(spawn_wait(pid, start_ms + limit_ms) == -SIGKILL);
	unit_must(clock_ms() - start_ms >= limit_ms);
	unit_must(kill(pid, 0) == -1 && errno == ESRCH);
}

START_TEST(a_child_over_its_limit_is_killed)
{
	static uint64_t limits_ms[] = {0, 150};

	if (!test_process_is_for_all())
		return;
	for (size_t i = 0; i < UNIT_COUNT(limits_ms); i++)
		unit_in_child(limit_body, &limits_ms[i]);
}
END_TEST

static void
late_body(void *argument)
{
	struct test_child child;
	siginfo_t info;
	pid_t pid;

	(void)argument;
	test_process_descriptors();
	test_child_init(&child, "exit", "3");
	pid = spawn_start(&child.spawn, &child.log);
	unit_must(pid > 0);
	unit_must(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	unit_must(spawn_wait(pid, 0) == 3);
}

START_TEST(a_child_that_has_ended_keeps_its_status_after_its_limit)
{
	if (test_process_is_for_all())
		unit_in_child(late_body, NULL);
}
END_TEST

static void
ignored_body(void *argument)
{
	struct test_child child;

	(void)argument;
	test_process_descriptors();
	signal(SIGCHLD, SIG_IGN); /* then the kernel discards its status */
	test_child_init(&child, "exit", "3");
	unit_must(test_child_run(&child) != 0);
}

START_TEST(a_child_of_unknown_end_has_not_succeeded)
{
	if (test_process_is_for_all())
		unit_in_child(ignored_body, NULL);
}
END_TEST

/* Returns what the monitor logs for the output of a child. */
static const struct {
	const char *said;
	const char *logged;
} sayings[] = {
    {"", ""},
    {"child: it is so\n", "test: it is so\n"},
    {"child: file:3: so\nno name\n", "test: file:3: so\ntest: no name\n"},
    {"child: not ended", "test: not ended\n"},
    {"child: a\033[0m\n\n", "test: a?[0m\ntest: \n"},
    {": \n:\n", "test: \ntest: :\n"},
};

static int
said(const char *text, size_t size)
{
	int fd = memfd_create("said", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	return fd; /* the child closes it when it exits */
}

START_TEST(what_a_child_has_said_is_logged_in_the_monitors_name)
{
	struct log log;
	char text[256];
	int out[2];

	test_process_log(&log, out);
	spawn_relay(said(sayings[_i].said, strlen(sayings[_i].said)), &log);
	test_process_read(out[0], text, sizeof(text));
	ck_assert_str_eq(text, sayings[_i].logged);
	close(out[0]);
	close(out[1]);
}
END_TEST

START_TEST(a_line_that_is_too_long_becomes_several)
{
	static char line[3 * LOG_LINE_MAX], text[5 * LOG_LINE_MAX];
	struct log log;
	int out[2], lines = 0;

	memset(line, 'x', sizeof(line));
	test_process_log(&log, out);
	spawn_relay(said(line, sizeof(line)), &log);
	test_process_read(out[0], text, sizeof(text));
	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
		ck_assert_int_eq(strncmp(at, "test: xxx", 9), 0);
		lines++;
	}
	ck_assert_int_eq(lines, 4);
	close(out[0]);
	close(out[1]);
}
END_TEST

START_TEST(what_a_child_says_without_end_has_one)
{
	static char lines[2 * (SPAWN_LINES + 10)];
	struct log log = {
	    .role = "test", .fd = memfd_create("log", MFD_CLOEXEC), .copy = -1};

	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = i % 2 == 0 ? 'x' : '\n';
	spawn_relay(said(lines, sizeof(lines)), &log);
	ck_assert_int_eq(lseek(log.fd, 0, SEEK_END),
	    (off_t)(SPAWN_LINES * strlen("test: x\n")));
	close(log.fd);
}
END_TEST

static const struct {
	const char *what;
	const char *argument;
	int status;
	const char *logged;
} runs[] = {
    {"exit", "0", 0, ""}, {"exit", "78", 78, ""},
    {"signal", "15", -SIGTERM, ""},
    {"say", "it: is so", 0, "test: it: is so\n"},
    {"wait", "0", -SIGKILL, "x"}, /* to its output */
};

static void
run_body(void *argument)
{
	int i = *(int *)argument, count, status = -7;
	uint64_t limit_ms = strcmp(runs[i].what, "wait") == 0 ? 300 : 60000;
	struct test_child child;

	test_process_descriptors();
	test_child_init(&child, runs[i].what, runs[i].argument);
	count = test_process_count();
	unit_must(spawn_run(&child.spawn, clock_ms() + limit_ms, &child.log,
		      &status) == 0);
	unit_must(status == runs[i].status);
	unit_must(test_process_count() == count);
	test_process_read(
	    child.out[0], test_child_text, sizeof(test_child_text));
	unit_must(strcmp(test_child_text, runs[i].logged) == 0);
}

START_TEST(a_child_is_run_to_its_end_and_heard)
{
	if (test_process_is_for_all())
		unit_in_child(run_body, &_i);
}
END_TEST

static void
none_body(void *argument)
{
	struct test_child child;
	int status = -7;

	(void)argument;
	test_process_descriptors();
	test_child_init(&child, "exit", "0");
	unit_limit_fds();
	errno = 0;
	unit_must(spawn_run(&child.spawn, clock_ms() + 60000, &child.log,
		      &status) == -1);
	unit_must(errno == EMFILE && status == -7);
}

START_TEST(a_child_that_cannot_be_run_is_an_error)
{
	unit_in_child(none_body, NULL);
}
END_TEST

UNIT_SUITE(spawn_end)
{
	TCase *tc = unit_case(suite, "end");
	tcase_add_loop_test(
	    tc, the_status_says_how_a_child_ended, 0, UNIT_COUNT(ends));
	tcase_add_test(tc, a_child_over_its_limit_is_killed);
	tcase_add_test(
	    tc, a_child_that_has_ended_keeps_its_status_after_its_limit);
	tcase_add_test(tc, a_child_of_unknown_end_has_not_succeeded);
	tc = unit_case(suite, "said");
	tcase_add_loop_test(tc,
	    what_a_child_has_said_is_logged_in_the_monitors_name, 0,
	    UNIT_COUNT(sayings));
	tcase_add_test(tc, a_line_that_is_too_long_becomes_several);
	tcase_add_test(tc, what_a_child_says_without_end_has_one);
	tcase_add_loop_test(
	    tc, a_child_is_run_to_its_end_and_heard, 0, UNIT_COUNT(runs));
	tcase_add_test(tc, a_child_that_cannot_be_run_is_an_error);
}
