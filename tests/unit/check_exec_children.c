/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: a child goes on when it is told, and only then.
 */
#include "exec/children.h"
#include "unit.h"

#include <sys/wait.h>

#include <errno.h>
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
	children_reap(&children);
	ck_assert_uint_eq(children.count, 0);
	children_done(&children);
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

int
main(void)
{
	Suite *suite = suite_create("exec_children");
	TCase *tc = unit_case(suite, "exec_children");

	tcase_add_test(tc, a_child_goes_on_when_the_gate_is_opened);
	tcase_add_test(tc, a_child_ends_when_the_gate_is_gone);
	tcase_add_test(tc, a_gate_without_a_child_is_no_harm);
	tcase_add_test(tc, other_children_do_not_count);
	tcase_add_test(tc, no_descriptors_is_an_error);
	return unit_run(suite);
}
