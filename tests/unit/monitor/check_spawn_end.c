/* SPDX-License-Identifier: ISC */
/*
 * How the monitor learns of the end of its child.
 */
#include "fixture/test_child.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "monitor/spawn.h"

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
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

/* A zombie is not there for its parent while another process traces it; a file
 * system can hold one that was killed up likewise. */
static void
held_body(void *argument)
{
	struct test_child child;
	pid_t pid, tracer;
	int status, ready[2];
	char byte;

	(void)argument;
	test_process_descriptors();
	test_child_init(&child, "wait", "0");
	pid = spawn_start(&child.spawn, &child.log);
	unit_must(pid > 0);
	unit_must(read(child.out[0], &byte, 1) == 1 && byte == 'x');
	unit_must(pipe(ready) == 0);
	tracer = fork();
	if (tracer == 0) {
		byte = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 'y' : 'n';
		unit_must(write(ready[1], &byte, 1) == 1);
		for (;;)
			pause();
	}
	unit_must(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	unit_must(spawn_wait(pid, 0) == -SIGKILL);
	unit_must(kill(tracer, SIGKILL) == 0);
	unit_must(waitpid(tracer, &status, 0) == tracer);
}

START_TEST(a_child_that_cannot_end_is_left)
{
	if (test_process_is_for_all())
		unit_in_child(held_body, NULL);
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
without_body(void *argument)
{
	struct test_child child;
	pid_t pid;

	(void)argument;
	test_process_descriptors();
	test_child_init(&child, "exit", "3");
	pid = spawn_start(&child.spawn, &child.log);
	unit_must(pid > 0);
	unit_limit_fds();
	unit_must(spawn_wait(pid, clock_ms() + 60000) == 3);
}

static void
without_late_body(void *argument)
{
	struct test_child child;
	char byte;
	pid_t pid;

	(void)argument;
	test_process_descriptors();
	test_child_init(&child, "wait", "0");
	pid = spawn_start(&child.spawn, &child.log);
	unit_must(pid > 0);
	unit_must(read(child.out[0], &byte, 1) == 1 && byte == 'x');
	unit_limit_fds();
	unit_must(spawn_wait(pid, clock_ms() + 50) == -SIGKILL);
}

START_TEST(a_child_is_waited_for_without_a_descriptor)
{
	if (!test_process_is_for_all())
		return;
	unit_in_child(without_body, NULL);
	unit_in_child(without_late_body, NULL);
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

/* The child of a child, which has ended, says its pid, and answers once. */
static pid_t
start_other(int question[2], int answer[2])
{
	pid_t child, pid;
	char byte;

	unit_must(pipe2(question, O_CLOEXEC) == 0);
	unit_must(pipe2(answer, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0 && fork() == 0) {
		close(question[1]);
		pid = getpid();
		if (write(answer[1], &pid, sizeof(pid)) == sizeof(pid) &&
		    read(question[0], &byte, 1) == 1)
			unit_must(write(answer[1], &byte, 1) == 1);
	}
	if (child == 0)
		_exit(0);
	close(answer[1]);
	unit_must(waitpid(child, NULL, 0) == child);
	unit_must(read(answer[0], &pid, sizeof(pid)) == sizeof(pid));
	return pid;
}

static void
other_body(void *argument)
{
	int question[2], answer[2];
	char byte = 'x';

	(void)argument;
	spawn_wait(start_other(question, answer), 0);
	unit_must(write(question[1], &byte, 1) == 1);
	unit_must(read(answer[0], &byte, 1) == 1);
}

START_TEST(another_process_with_that_pid_is_not_killed)
{
	unit_in_child(other_body, NULL);
}
END_TEST

static void
none_body(void *argument)
{
	struct test_child child;
	struct rlimit none = {0, 0};

	(void)argument;
	test_process_descriptors();
	test_child_init(&child, "exit", "0");
	unit_must(setrlimit(RLIMIT_NPROC, &none) == 0);
	if (geteuid() == 0)
		unit_must(setuid(TEST_PROCESS_UID) == 0);
	unit_must(spawn_start(&child.spawn, &child.log) == -1);
	unit_must(errno == EAGAIN);
	test_process_read(
	    child.out[0], test_child_text, sizeof(test_child_text));
	unit_must(strcmp(test_child_text,
		      "test: cannot start child (for root as uid 60583): "
		      "Resource temporarily unavailable\n") == 0);
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
	tcase_add_test(tc, a_child_that_cannot_end_is_left);
	tcase_add_test(tc, a_child_is_waited_for_without_a_descriptor);
	tcase_add_test(tc, a_child_of_unknown_end_has_not_succeeded);
	tcase_add_test(tc, another_process_with_that_pid_is_not_killed);
	tcase_add_test(tc, a_child_that_cannot_be_run_is_an_error);
}
