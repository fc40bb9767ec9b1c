/* SPDX-License-Identifier: ISC */
/*
 * A dead mailbox is replaced by a new one in one step, whatever other
 * processes do to the name meanwhile; and no process removes a name that is
 * not its own.  socket() and renameat2() of the C library are replaced here,
 * to act as another process.
 */
#include "fixture/net.h"
#include "fixture/test_mailbox.h"
#include "fixture/unit.h"

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Acts of another process, once: before that many more sockets are made, and
 * before two names are exchanged. */
static void (*before_socket)(void);
static unsigned int sockets_until;
static void (*before_exchange)(void);
static int others;

static void
somebody_acts(void (**inout_act)(void))
{
	void (*act)(void) = *inout_act;

	*inout_act = NULL;
	if (act != NULL)
		act();
}

int
socket(int domain, int type, int protocol)
{
	if (before_socket != NULL && sockets_until-- == 0)
		somebody_acts(&before_socket);
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int
renameat2(int from_directory, const char *from, int to_directory,
    const char *to, unsigned int flags)
{
	if (flags == RENAME_EXCHANGE)
		somebody_acts(&before_exchange);
	return (int)syscall(
	    SYS_renameat2, from_directory, from, to_directory, to, flags);
}

static void
make_dead(const char *path)
{
	close(net_bind(path, SOCK_DGRAM));
}

/* True if a datagram to path arrives at fd. */
static int
reaches(const char *path, int fd)
{
	int sender = net_reach(path, SOCK_DGRAM);

	ck_assert_int_ne(sender, -1);
	ck_assert_int_eq(net_send(sender, "", 0, NULL, 0), 0);
	close(sender);
	return net_polls(fd, POLLIN);
}

/* Returns all events of a name in a directory. */
static uint32_t
happened_to(const char *name, int watch)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t n = read(watch, buffer, sizeof(buffer));
	struct inotify_event event;
	uint32_t all = 0;

	for (ssize_t at = 0; at < n;
	     at += (ssize_t)(sizeof(event) + event.len)) {
		memcpy(&event, buffer + at, sizeof(event));
		if (event.len != 0 &&
		    strcmp(buffer + at + sizeof(event), name) == 0)
			all |= event.mask;
	}
	return all;
}

START_TEST(the_name_never_stands_for_something_else)
{
	const char *path = unit_path("box");
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct fdrecv *fdrecv;
	uint32_t all;

	if (_i)
		make_dead(path);
	ck_assert_int_ne(
	    inotify_add_watch(watch, unit_path(""), IN_ALL_EVENTS), -1);
	fdrecv = test_mailbox_at(path);
	all = happened_to("box", watch);
	ck_assert_uint_ne(all & IN_MOVED_TO, 0);
	ck_assert_uint_eq(all & (IN_CREATE | IN_DELETE | IN_ATTRIB), 0);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 1);
	ck_assert(reaches(path, fdrecv_fd(fdrecv)));
	fdrecv_close(fdrecv);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 0);
	close(watch);
}
END_TEST

static void
revive(void)
{
	ck_assert_int_eq(unlink(unit_path("box")), 0);
	others = net_bind(unit_path("box"), SOCK_DGRAM);
}

START_TEST(a_mailbox_that_was_revived_meanwhile_stays)
{
	const char *path = unit_path("box");

	make_dead(path);
	before_exchange = revive;
	test_mailbox_refused(path, EADDRINUSE);
	ck_assert_ptr_null(before_exchange);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 1);
	ck_assert(reaches(path, others));
	close(others);
}
END_TEST

static void
put_file(void)
{
	ck_assert_int_eq(unlink(unit_path("box")), 0);
	others =
	    open(unit_path("box"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ne(others, -1);
}

START_TEST(a_file_that_was_put_there_meanwhile_stays)
{
	const char *path = unit_path("box");
	struct stat st;

	make_dead(path);
	before_exchange = put_file;
	test_mailbox_refused(path, EEXIST);
	ck_assert_int_eq(fstat(others, &st), 0);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 1);
	close(others);
}
END_TEST

static void
remove_box(void)
{
	ck_assert_int_eq(unlink(unit_path("box")), 0);
}

/* Another worker of the same name may just be leaving: when its socket is
 * about to be probed, or about to be replaced. */
START_TEST(a_mailbox_that_was_removed_meanwhile_is_no_obstacle)
{
	const char *path = unit_path("box");
	struct fdrecv *fdrecv;

	make_dead(path);
	if (_i == 0) {
		before_exchange = remove_box;
	} else {
		before_socket = remove_box;
		sockets_until = 1; /* the first one is the mailbox's own */
	}
	fdrecv = test_mailbox_at(path);
	ck_assert_ptr_null(before_exchange);
	ck_assert_ptr_null(before_socket);
	ck_assert(reaches(path, fdrecv_fd(fdrecv)));
	fdrecv_close(fdrecv);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 0);
}
END_TEST

/* Whose name it is when the mailbox is closed. */
static void
rename_over(void)
{
	others = net_bind(unit_path("new"), SOCK_DGRAM);
	ck_assert_int_eq(rename(unit_path("new"), unit_path("box")), 0);
}

static void (*const successors[])(void) = {revive, put_file, rename_over};

START_TEST(closing_removes_only_its_own)
{
	const char *path = unit_path("box");
	struct fdrecv *fdrecv = test_mailbox_at(path);
	struct stat st;
	int drained = _i >= (int)UNIT_COUNT(successors);

	successors[_i % (int)UNIT_COUNT(successors)]();
	if (drained)
		fdrecv_drain(fdrecv);
	fdrecv_close(fdrecv);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 1);
	close(others);
}
END_TEST

START_TEST(closing_removes_nothing_that_came_after_draining)
{
	const char *path = unit_path("box");
	struct fdrecv *old = test_mailbox_at(path), *new;

	fdrecv_drain(old);
	new = test_mailbox_at(path);
	fdrecv_drain(old);
	fdrecv_close(old);
	ck_assert(reaches(path, fdrecv_fd(new)));
	fdrecv_close(new);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 0);
}
END_TEST

START_TEST(closing_finds_its_name_in_a_directory_that_moved)
{
	struct fdrecv *fdrecv;

	unit_directory("pool", 0755);
	fdrecv = test_mailbox_at(unit_path("pool/box"));
	ck_assert_int_eq(rename(unit_path("pool"), unit_path("moved")), 0);
	fdrecv_close(fdrecv);
	ck_assert_uint_eq(test_mailbox_names(unit_path("moved")), 0);
	fdrecv_close(NULL);
	fdrecv_drain(NULL);
}
END_TEST

UNIT_SUITE(fdrecv_replace)
{
	TCase *tc = unit_case(suite, "fdrecv_replace");

	tcase_add_loop_test(tc, the_name_never_stands_for_something_else, 0, 2);
	tcase_add_test(tc, a_mailbox_that_was_revived_meanwhile_stays);
	tcase_add_test(tc, a_file_that_was_put_there_meanwhile_stays);
	tcase_add_loop_test(
	    tc, a_mailbox_that_was_removed_meanwhile_is_no_obstacle, 0, 2);
	tcase_add_loop_test(tc, closing_removes_only_its_own, 0,
	    2 * (int)UNIT_COUNT(successors));
	tcase_add_test(tc, closing_removes_nothing_that_came_after_draining);
	tcase_add_test(tc, closing_finds_its_name_in_a_directory_that_moved);
}
