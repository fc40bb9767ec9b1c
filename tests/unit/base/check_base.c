/* SPDX-License-Identifier: ISC */
/*
 * Clock, descriptors, text, and the checks of an unprivileged process.
 */
#include "fixture/unit.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/role.h"
#include "base/text.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/securebits.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

START_TEST(the_clock_is_the_monotonic_one)
{
	struct timespec now;
	uint64_t before_us = clock_us(), ms = clock_ms(), after_us = clock_us();

	clock_gettime(CLOCK_MONOTONIC, &now);
	ck_assert_uint_le(before_us / 1000, ms);
	ck_assert_uint_le(ms, after_us / 1000);
	ck_assert_uint_le(after_us / 1000000, (uint64_t)now.tv_sec);
	ck_assert_uint_ge(after_us / 1000000 + 1, (uint64_t)now.tv_sec);
}
END_TEST

START_TEST(what_is_left_is_never_negative)
{
	uint64_t now = clock_ms();
	int left;

	ck_assert_int_eq(clock_left_ms(0), 0);
	ck_assert_int_eq(clock_left_ms(now), 0);
	left = clock_left_ms(now + 60000);
	ck_assert_int_le(left, 60000);
	ck_assert_int_gt(left, 50000);
}
END_TEST

START_TEST(closing_keeps_errno_and_returns_none)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	errno = ENODATA;
	ck_assert_int_eq(fd_close(fd), -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	errno = ENODATA;
	ck_assert_int_eq(fd_close(fd), -1);
	ck_assert_int_eq(errno, ENODATA);
	ck_assert_int_eq(fd_close(-1), -1);
	ck_assert_int_eq(errno, ENODATA);
}
END_TEST

START_TEST(a_stolen_descriptor_is_in_one_place)
{
	int fd = 7;

	ck_assert_int_eq(fd_steal(&fd), 7);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fd_steal(&fd), -1);
}
END_TEST

START_TEST(a_placed_descriptor_survives_exec_and_its_source_does_not)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int target = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char byte = 'a';

	ck_assert_int_eq(fd_place(fd, target), 0);
	ck_assert_int_eq(fcntl(target, F_GETFD), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(read(target, &byte, 1), 0); /* it is /dev/null now */
	ck_assert_int_eq(fd_place(fd, fd), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	fd_close(fd);
	ck_assert_int_eq(fd_place(fd, target), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(fd_place(fd, fd), -1);
	fd_close(target);
}
END_TEST

static void
reserve_in_child(void *argument)
{
	int kept, next;

	(void)argument;
	unit_must(fd_close_from(0) == 0);
	kept = open("/dev/zero", O_RDONLY);
	unit_must(kept == 0);
	unit_must(dup2(kept, 3) == 3);
	unit_must(fd_fill_below(5) == 0);
	for (int fd = 0; fd < 5; fd++) {
		char byte = 'a';

		/* The open file stays as it was: /dev/zero without the
		 * flag. */
		unit_must(fcntl(fd, F_GETFD) ==
		    (fd == 0 || fd == 3 ? 0 : FD_CLOEXEC));
		unit_must(read(fd, &byte, 1) == (fd == 0 || fd == 3));
	}
	unit_must(fcntl(5, F_GETFD) == -1);
	next = open("/dev/null", O_RDONLY);
	unit_must(next == 5);
	unit_must(fd_fill_below(5) == 0);
	unit_must(fcntl(6, F_GETFD) == -1);
}

START_TEST(reserving_fills_the_gaps_and_nothing_else)
{
	unit_in_child(reserve_in_child, NULL);
}
END_TEST

static void
reserve_without_room(void *argument)
{
	(void)argument;
	unit_limit_fds();
	unit_must(fd_fill_below(4000) == -1);
	unit_must(errno == EMFILE);
}

START_TEST(reserving_without_room_is_an_error)
{
	unit_in_child(reserve_without_room, NULL);
}
END_TEST

static void
close_from_in_child(void *argument)
{
	(void)argument;
	unit_must(dup2(0, 20) == 20);
	unit_must(dup2(0, 21) == 21);
	unit_must(dup2(0, 900) == 900);
	unit_must(fd_close_from(21) == 0);
	unit_must(fcntl(20, F_GETFD) == 0);
	unit_must(fcntl(21, F_GETFD) == -1);
	unit_must(fcntl(900, F_GETFD) == -1);
}

START_TEST(closing_from_leaves_what_is_below)
{
	unit_in_child(close_from_in_child, NULL);
}
END_TEST

START_TEST(a_reopened_pipe_does_not_block_and_the_first_one_still_does)
{
	int fds[2], writer;
	char byte = 0;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	writer = fd_reopen_writer(fds[1]);
	ck_assert_int_ne(writer, -1);
	ck_assert_int_ne(fcntl(writer, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(writer, F_GETFL) & O_ACCMODE, O_WRONLY);
	ck_assert_int_eq(fcntl(writer, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(write(writer, "a", 1), 1);
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'a');
	fd_close(writer);
	fd_close(fds[0]);
	fd_close(fds[1]);
}
END_TEST

START_TEST(what_is_no_pipe_or_terminal_is_duplicated)
{
	int ends[2], copy;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	copy = fd_reopen_writer(ends[0]);
	ck_assert_int_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(copy, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_ne(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fd_reopen_writer(-1), -1);
	fd_close(copy);
	fd_close(ends[0]);
	fd_close(ends[1]);
}
END_TEST

START_TEST(text_is_copied_whole_or_not_at_all)
{
	char to[4] = "old";

	ck_assert_int_eq(text_copy(to, sizeof(to), "four"), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_str_eq(to, "old");
	ck_assert_int_eq(text_copy(to, sizeof(to), "abc"), 0);
	ck_assert_str_eq(to, "abc");
	ck_assert_int_eq(text_copy(to, sizeof(to), ""), 0);
	ck_assert_str_eq(to, "");
	ck_assert_int_eq(text_copy(to, 0, ""), -1);
}
END_TEST

static const struct {
	const char *array;
	size_t size;
	int printable;
} texts[] = {
    {"", 1, 1},
    {"abc", 4, 1},
    {"abc", 3, 0}, /* no NUL */
    {"abc", 0, 0},
    {"a\nb", 4, 0},
    {"a\x1f", 3, 0},
    {"a\x7f", 3, 0},
    {" ~", 3, 1},
    {"a\0\n", 4, 1}, /* bytes behind the NUL are ignored */
    {"\xc3\xa4", 3, 1},
};

START_TEST(printable_text_ends_and_has_no_control_character)
{
	ck_assert_int_eq(
	    text_is_printable(texts[_i].array, texts[_i].size) != 0,
	    texts[_i].printable);
}
END_TEST

/* As an ordinary user; root becomes one first. */
static void
settle_in_child(void *argument)
{
	const int *no_new_privs = argument;
	struct sigaction action;
	char name[17] = "";
	sigset_t blocked;

	if (geteuid() == 0) {
		unit_must(role_settle("unit") == -1 && errno == EPERM);
		unit_must(setresuid(60592, 60592, 60592) == 0);
	}
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	if (*no_new_privs)
		unit_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (!*no_new_privs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0) {
		unit_must(role_settle("unit") == -1 && errno == EPERM);
		return;
	}
	unit_must(role_settle("unit-role") == 0);
	unit_must(prctl(PR_GET_NAME, name, 0, 0, 0) == 0);
	unit_must(strcmp(name, "unit-role") == 0);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int i = 1; i < 32; i++)
		unit_must(sigismember(&blocked, i) == 0);
	for (int i = 0; i < 3; i++) {
		static const int terminal[] = {SIGINT, SIGHUP, SIGTERM};

		unit_must(sigaction(terminal[i], NULL, &action) == 0);
		unit_must(action.sa_handler == SIG_IGN);
	}
}

START_TEST(a_role_runs_without_privilege_or_not_at_all)
{
	unit_in_child(settle_in_child, &(int){0});
	unit_in_child(settle_in_child, &(int){1});
}
END_TEST

static void
group_in_child(void *argument)
{
	const int *group = argument;

	unit_must(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0) == 0);
	unit_must(setresgid((gid_t)*group, (gid_t)*group, (gid_t)*group) == 0);
	unit_must(setresuid(60592, 60592, 60592) == 0);
	unit_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	errno = 0;
	if (*group == 0)
		unit_must(role_settle("unit") == -1 && errno == EPERM);
	else
		unit_must(role_settle("unit") == 0);
}

START_TEST(a_role_that_root_started_does_not_run_with_roots_group)
{
	if (geteuid() != 0) {
		unit_skip("it takes root to have its group");
		return;
	}
	unit_in_child(group_in_child, &(int){0});
	unit_in_child(group_in_child, &(int){60593});
}
END_TEST

UNIT_SUITE(base)
{
	TCase *tc = unit_case(suite, "base");

	tcase_add_test(tc, the_clock_is_the_monotonic_one);
	tcase_add_test(tc, what_is_left_is_never_negative);
	tcase_add_test(tc, closing_keeps_errno_and_returns_none);
	tcase_add_test(tc, a_stolen_descriptor_is_in_one_place);
	tcase_add_test(
	    tc, a_placed_descriptor_survives_exec_and_its_source_does_not);
	tcase_add_test(tc, reserving_fills_the_gaps_and_nothing_else);
	tcase_add_test(tc, reserving_without_room_is_an_error);
	tcase_add_test(tc, closing_from_leaves_what_is_below);
	tcase_add_test(
	    tc, a_reopened_pipe_does_not_block_and_the_first_one_still_does);
	tcase_add_test(tc, what_is_no_pipe_or_terminal_is_duplicated);
	tcase_add_test(tc, text_is_copied_whole_or_not_at_all);
	tcase_add_loop_test(tc,
	    printable_text_ends_and_has_no_control_character, 0,
	    (int)UNIT_COUNT(texts));
	tcase_add_test(tc, a_role_runs_without_privilege_or_not_at_all);
	tcase_add_test(
	    tc, a_role_that_root_started_does_not_run_with_roots_group);
}
