/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: a child continues when it is released, and only then.
 */
#include "exec/children.h"
#include "exec/lingering.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define DONE 42 /* a child that continued */

static struct children children;
static struct lingering lingering;

/* Starts a child that ends with DONE once it is released. */
static pid_t
start(int *out_sync)
{
	pid_t pid = children_fork(&children, out_sync);

	if (pid == 0) {
		children_wait(*out_sync);
		_exit(DONE);
	}
	return pid;
}

/* Its exit status, without reaping it. */
static int
wait_for(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return info.si_status;
}

START_TEST(a_child_continues_when_it_is_released)
{
	int sync;
	pid_t pid;

	children_init(&children, 1, &lingering);
	ck_assert(!children_is_full(&children));
	pid = start(&sync);
	ck_assert_int_gt(pid, 0);
	ck_assert(children_is_full(&children));
	children_release(sync);
	ck_assert_int_eq(wait_for(pid), DONE);
	close(sync);
	children_reap(&children);
	ck_assert(!children_is_full(&children));
	children_done(&children);
}
END_TEST

START_TEST(a_child_ends_when_its_parent_is_gone)
{
	int sync;
	pid_t pid;

	children_init(&children, 1, &lingering);
	pid = start(&sync);
	ck_assert_int_gt(pid, 0);
	close(sync);
	ck_assert_int_eq(wait_for(pid), EXIT_FAILURE);
	children_reap(&children);
	children_done(&children);
}
END_TEST

START_TEST(releasing_a_child_that_has_ended_does_no_harm)
{
	int sync;
	pid_t pid;

	children_init(&children, 1, &lingering);
	pid = children_fork(&children, &sync);
	if (pid == 0)
		_exit(0);
	wait_for(pid);
	children_release(sync); /* and no SIGPIPE */
	close(sync);
	children_reap(&children);
	children_done(&children);
}
END_TEST

static void
end(void *argument)
{
	(void)argument;
	_exit(0);
}

START_TEST(other_children_do_not_count)
{
	int syncs[2];
	pid_t pids[2], other;

	children_init(&children, 2, &lingering);
	for (int i = 0; i < 2; i++)
		pids[i] = start(&syncs[i]);
	other = unit_fork(end, NULL);
	wait_for(other);
	children_reap(&children);
	ck_assert_uint_eq(children.count, 2);
	children_release(syncs[0]);
	wait_for(pids[0]);
	children_reap(&children);
	ck_assert_uint_eq(children.count, 1);
	ck_assert_int_eq(children.items[0].pid, pids[1]);
	children_release(syncs[1]);
	wait_for(pids[1]);
	for (int i = 0; i < 2; i++)
		close(syncs[i]);
	children_reap(&children);
	ck_assert_uint_eq(children.count, 0);
	children_done(&children);
}
END_TEST

/* Starts a child that executes the program once it is released. */
static void
start_program(const char *program, int *out_sync)
{
	pid_t pid = children_fork(&children, out_sync);

	if (pid == 0) {
		children_wait(*out_sync);
		execl(program, program, "60", (char *)NULL);
		children_fail(*out_sync, errno);
	}
	ck_assert_int_gt(pid, 0);
}

static int
await_result(int sync)
{
	struct pollfd poll_sync = {.fd = sync, .events = POLLIN};

	ck_assert_int_eq(poll(&poll_sync, 1, 60000), 1);
	return children_result(sync);
}

START_TEST(a_child_that_runs_its_program_is_known)
{
	int sync;

	children_init(&children, 1, &lingering);
	start_program("/bin/sleep", &sync);
	ck_assert_int_eq(children_result(sync), -1);
	children_release(sync);
	ck_assert_int_eq(await_result(sync), 0);
	ck_assert_int_eq(waitpid(children.items[0].pid, NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(children.items[0].pid, SIGKILL), 0);
	wait_for(children.items[0].pid);
	close(sync);
	children_reap(&children);
	children_done(&children);
}
END_TEST

START_TEST(a_child_that_cannot_run_its_program_reports_errno)
{
	const struct {
		const char *program;
		int error;
	} rows[] = {{"/none", ENOENT}, {"/", EACCES}};
	int sync;

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		children_init(&children, 1, &lingering);
		start_program(rows[i].program, &sync);
		children_release(sync);
		ck_assert_int_eq(await_result(sync), rows[i].error);
		wait_for(children.items[0].pid);
		close(sync);
		children_reap(&children);
		children_done(&children);
	}
}
END_TEST

START_TEST(no_descriptors_is_an_error)
{
	unsigned long limit;
	int sync, error;
	pid_t pid;

	children_init(&children, 1, &lingering);
	limit = unit_limit_fds();
	pid = children_fork(&children, &sync);
	error = errno;
	unit_unlimit_fds(limit);
	ck_assert_int_eq(pid, -1);
	ck_assert_int_eq(error, EMFILE);
	ck_assert_uint_eq(children.count, 0);
	children_done(&children);
}
END_TEST

/* In a process of its own, which has no other children.  With an argument, the
 * child leaves a process behind. */
static void
keep_a_connection(void *leaves_a_process)
{
	int ends[2], until[2], sync;
	char byte;
	pid_t pid;

	lingering_init(&lingering);
	children_init(&children, 1, &lingering);
	unit_must(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	unit_must(pipe(until) == 0);
	pid = children_fork(&children, &sync);
	if (pid == 0) {
		close(until[1]);
		if (leaves_a_process != NULL && fork() == 0)
			(void)!read(until[0], &byte, 1);
		_exit(0);
	}
	children_keep(&children, pid, ends[1]);
	close(ends[1]);
	wait_for(pid);
	unit_must(recv(ends[0], &byte, 1, MSG_DONTWAIT) == -1);
	children_reap(&children);
	unit_must(children.count == 0 && children.kept == 0);
	if (leaves_a_process == NULL) {
		unit_must(lingering.count == 1);
		unit_must(recv(ends[0], &byte, 1, MSG_DONTWAIT) == 0);
	} else {
		unit_must(lingering.count == 0);
		unit_must(recv(ends[0], &byte, 1, MSG_DONTWAIT) == -1);
	}
}

START_TEST(a_connection_ends_with_its_child)
{
	unit_in_child(keep_a_connection, NULL);
}
END_TEST

START_TEST(a_connection_does_not_end_before_what_its_child_left_behind)
{
	unit_in_child(keep_a_connection, &children);
}
END_TEST

static void
keep_too_late(void *argument)
{
	int ends[2], sync;
	pid_t pid;

	(void)argument;
	lingering_init(&lingering);
	children_init(&children, 1, &lingering);
	unit_must(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	pid = children_fork(&children, &sync);
	if (pid == 0)
		_exit(0);
	wait_for(pid);
	children_reap(&children);
	children_keep(&children, pid, ends[1]);
	unit_must(children.kept == 0 && lingering.count == 1);
}

START_TEST(a_connection_lingers_although_its_child_has_been_reaped)
{
	unit_in_child(keep_too_late, NULL);
}
END_TEST

UNIT_SUITE(children)
{
	TCase *tc = unit_case(suite, "exec_children");

	tcase_add_test(tc, a_child_continues_when_it_is_released);
	tcase_add_test(tc, a_child_ends_when_its_parent_is_gone);
	tcase_add_test(tc, releasing_a_child_that_has_ended_does_no_harm);
	tcase_add_test(tc, other_children_do_not_count);
	tcase_add_test(tc, a_child_that_runs_its_program_is_known);
	tcase_add_test(tc, a_child_that_cannot_run_its_program_reports_errno);
	tcase_add_test(tc, no_descriptors_is_an_error);
	tcase_add_test(tc, a_connection_ends_with_its_child);
	tcase_add_test(
	    tc, a_connection_does_not_end_before_what_its_child_left_behind);
	tcase_add_test(
	    tc, a_connection_lingers_although_its_child_has_been_reaped);
}
