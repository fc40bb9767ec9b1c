/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: a child goes on when it is told, and only then.
 */
#include "exec/children.h"
#include "fixture/unit.h"

#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define DONE 42 /* a child that went on */

static struct children children;

/* Starts a child that ends with DONE once it may go on. */
static pid_t
start(int *out_gate)
{
	pid_t pid = children_fork(&children, out_gate);

	if (pid == 0) {
		children_wait(*out_gate);
		_exit(DONE);
	}
	return pid;
}

/* Its exit status, not reaped. */
static int
wait_for(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return info.si_status;
}

START_TEST(a_child_goes_on_when_the_gate_is_opened)
{
	int gate;
	pid_t pid;

	ck_assert_int_eq(children_init(&children, 1), 0);
	ck_assert(!children_is_full(&children));
	pid = start(&gate);
	ck_assert_int_gt(pid, 0);
	ck_assert(children_is_full(&children));
	children_open_gate(gate);
	ck_assert_int_eq(wait_for(pid), DONE);
	close(gate);
	children_reap(&children);
	ck_assert(!children_is_full(&children));
	children_done(&children);
}
END_TEST

START_TEST(a_child_ends_when_the_gate_is_gone)
{
	int gate;
	pid_t pid;

	ck_assert_int_eq(children_init(&children, 1), 0);
	pid = start(&gate);
	ck_assert_int_gt(pid, 0);
	close(gate);
	ck_assert_int_eq(wait_for(pid), EXIT_FAILURE);
	children_reap(&children);
	children_done(&children);
}
END_TEST

START_TEST(a_gate_without_a_child_is_no_harm)
{
	int gate;
	pid_t pid;

	ck_assert_int_eq(children_init(&children, 1), 0);
	pid = children_fork(&children, &gate);
	if (pid == 0)
		_exit(0);
	wait_for(pid);
	children_open_gate(gate); /* and no SIGPIPE */
	close(gate);
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
	int gates[2];
	pid_t pids[2], other;

	ck_assert_int_eq(children_init(&children, 2), 0);
	for (int i = 0; i < 2; i++)
		pids[i] = start(&gates[i]);
	other = unit_fork(end, NULL);
	wait_for(other);
	children_reap(&children);
	ck_assert_uint_eq(children.count, 2);
	children_open_gate(gates[0]);
	wait_for(pids[0]);
	children_reap(&children);
	ck_assert_uint_eq(children.count, 1);
	ck_assert_int_eq(children.pids[0], pids[1]);
	children_open_gate(gates[1]);
	wait_for(pids[1]);
	for (int i = 0; i < 2; i++)
		close(gates[i]);
	children_reap(&children);
	ck_assert_uint_eq(children.count, 0);
	children_done(&children);
}
END_TEST

/* Starts a child that becomes that program once it may. */
static void
start_program(const char *program, int *out_gate)
{
	pid_t pid = children_fork(&children, out_gate);

	if (pid == 0) {
		children_wait(*out_gate);
		execl(program, program, "60", (char *)NULL);
		children_fail(*out_gate, errno);
	}
	ck_assert_int_gt(pid, 0);
}

static int
await_result(int gate)
{
	struct pollfd poll_gate = {.fd = gate, .events = POLLIN};

	ck_assert_int_eq(poll(&poll_gate, 1, 3000), 1);
	return children_result(gate);
}

START_TEST(a_child_that_is_a_program_now_is_known)
{
	int gate;

	ck_assert_int_eq(children_init(&children, 1), 0);
	start_program("/bin/sleep", &gate);
	ck_assert_int_eq(children_result(gate), -1);
	children_open_gate(gate);
	ck_assert_int_eq(await_result(gate), 0);
	ck_assert_int_eq(waitpid(children.pids[0], NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(children.pids[0], SIGKILL), 0);
	wait_for(children.pids[0]);
	close(gate);
	children_reap(&children);
	children_done(&children);
}
END_TEST

START_TEST(a_child_that_cannot_be_a_program_says_why)
{
	const struct {
		const char *program;
		int error;
	} rows[] = {{"/none", ENOENT}, {"/", EACCES}};
	int gate;

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		ck_assert_int_eq(children_init(&children, 1), 0);
		start_program(rows[i].program, &gate);
		children_open_gate(gate);
		ck_assert_int_eq(await_result(gate), rows[i].error);
		wait_for(children.pids[0]);
		close(gate);
		children_reap(&children);
		children_done(&children);
	}
}
END_TEST

START_TEST(no_descriptors_is_an_error)
{
	unsigned long limit;
	int gate, error;
	pid_t pid;

	ck_assert_int_eq(children_init(&children, 1), 0);
	limit = unit_limit_fds();
	pid = children_fork(&children, &gate);
	error = errno;
	unit_unlimit_fds(limit);
	ck_assert_int_eq(pid, -1);
	ck_assert_int_eq(error, EMFILE);
	ck_assert_uint_eq(children.count, 0);
	children_done(&children);
}
END_TEST

UNIT_SUITE(children)
{
	TCase *tc = unit_case(suite, "exec_children");

	tcase_add_test(tc, a_child_goes_on_when_the_gate_is_opened);
	tcase_add_test(tc, a_child_ends_when_the_gate_is_gone);
	tcase_add_test(tc, a_gate_without_a_child_is_no_harm);
	tcase_add_test(tc, other_children_do_not_count);
	tcase_add_test(tc, a_child_that_is_a_program_now_is_known);
	tcase_add_test(tc, a_child_that_cannot_be_a_program_says_why);
	tcase_add_test(tc, no_descriptors_is_an_error);
}
