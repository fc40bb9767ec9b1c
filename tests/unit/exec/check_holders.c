/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: a child that moves its connection while its descriptors
 * are read is found to have it.
 */
#include "exec/holders.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ALWAYS 1000000

static ino_t moving;
static int missed; /* so often it is not seen */

/* Replaces that of the C library. */
ssize_t
readlinkat(int directory, const char *name, char *target, size_t size)
{
	ssize_t n = syscall(SYS_readlinkat, directory, name, target, size);
	uintmax_t inode;

	if (n > 0 && (size_t)n < size) {
		target[n] = '\0';
		if (sscanf(target, "socket:[%ju]", &inode) == 1 &&
		    inode == moving && missed-- > 0)
			memset(target, '-', (size_t)n);
	}
	return n;
}

static void
keep(void *argument)
{
	(void)argument;
	for (;;)
		pause();
}

static int
is_child(const void *owner, pid_t pid)
{
	return pid == *(const pid_t *)owner;
}

static int
is_found_after(int times)
{
	struct holders_socket sock = {.pid = 0};
	int ends[2];
	struct stat st;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(fstat(ends[0], &st), 0);
	sock.inode = moving = st.st_ino;
	sock.pid = unit_fork(keep, NULL);
	missed = times;
	holders_find(&sock, 1, is_child, &sock.pid);
	kill(sock.pid, SIGKILL);
	unit_reap(sock.pid, SIGKILL);
	close(ends[0]);
	close(ends[1]);
	return sock.is_held;
}

START_TEST(a_connection_that_moves_is_missed_by_chance_and_still_found)
{
	ck_assert(is_found_after(0));
	ck_assert(is_found_after(1));
	ck_assert(is_found_after(2));
	ck_assert(is_found_after(12));
}
END_TEST

START_TEST(a_connection_that_its_child_has_closed_is_not_found)
{
	ck_assert(!is_found_after(ALWAYS));
}
END_TEST

UNIT_SUITE(holders)
{
	TCase *tc = unit_case(suite, "exec_holders");

	tcase_add_test(
	    tc, a_connection_that_moves_is_missed_by_chance_and_still_found);
	tcase_add_test(tc, a_connection_that_its_child_has_closed_is_not_found);
}
