/* SPDX-License-Identifier: ISC */
/*
 * A program that has closed the descriptors of its mailbox, as closefrom(3)
 * does, and has other files under their numbers: they are left alone.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"
#include "lib/handle.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engine;
static int files[2]; /* what the program opens, and its peer */
static int taken[8]; /* numbers that were the library's */
static size_t count;

static void
close_one(int fd, int reuse)
{
	if (fd == -1)
		return;
	ck_assert_int_eq(close(fd), 0);
	if (reuse)
		ck_assert_int_eq(dup2(files[0], fd), fd);
	taken[count++] = fd;
}

static void
close_all(int reuse)
{
	const struct fdrecv *handle = mailbox.fdrecv;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, files),
	    0);
	count = 0;
	close_one(handle->bound.fd, reuse);
	close_one(handle->bound.directory, reuse);
	close_one(handle->epoll, reuse);
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		close_one(handle->engines.items[i].fd, reuse);
	ck_assert_uint_eq(count, 4);
}

/* Nobody has closed, shut down or used them. */
static void
all_are_the_programs(int reuse)
{
	char byte;

	for (size_t i = 0; i < count && reuse; i++) {
		ck_assert_int_eq(send(taken[i], "x", 1, 0), 1);
		ck_assert_int_eq(recv(files[1], &byte, 1, 0), 1);
		ck_assert_int_eq(byte, 'x');
		ck_assert_int_eq(close(taken[i]), 0);
	}
	ck_assert_int_eq(recv(files[1], &byte, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(files[0]);
	close(files[1]);
}

/* Right after fdrecv_open(), with a hand-off that waits. */
START_TEST(a_mailbox_that_the_program_has_closed_says_so)
{
	int end;

	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, _i < 2 ? FDRECV_NONBLOCK : 0);
	fake_engine_hears_hello(&engine);
	ck_assert_int_ne(fdrecv_fd(mailbox.fdrecv), -1);
	mailbox.fdrecv->is_checked = 0; /* as in a daemon's child */
	end = fake_engine_connection(&engine, &mailbox);
	close_all(_i % 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    fdrecv_next(mailbox.fdrecv, &mailbox.handoff), -1);
		ck_assert_int_eq(errno, EBADF);
	}
	fdrecv_pause(mailbox.fdrecv);
	fdrecv_drain(mailbox.fdrecv);
	fdrecv_close(mailbox.fdrecv);
	all_are_the_programs(_i % 2);
	close(end);
	close(mailbox.sender);
	fake_engine_stop(&engine);
}
END_TEST

/* The library has used it before. */
START_TEST(a_mailbox_that_is_none_any_more_is_an_error)
{
	int fds[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fds[0] = mailbox.fdrecv->bound.fd;
	fds[1] = mailbox.fdrecv->bound.directory;
	if (_i == 0)
		ck_assert_int_eq(close(fds[0]), 0);
	else
		ck_assert_int_eq(dup3(null, fds[0], O_CLOEXEC), fds[0]);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), -1);
	ck_assert_int_eq(errno, EBADF);
	fake_engine_hears_the_end(&engine); /* is the library's */
	fdrecv_close(mailbox.fdrecv);
	ck_assert_int_eq(close(fds[0]), _i == 0 ? -1 : 0);
	ck_assert_int_eq(close(fds[1]), 0);
	close(null);
	close(mailbox.sender);
	fake_engine_stop(&engine);
}
END_TEST

/* Later, with a receipt that is due. */
START_TEST(what_is_not_the_librarys_is_left_alone_in_the_end)
{
	int end;

	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	ck_assert_int_ne(fdrecv_fd(mailbox.fdrecv), -1);
	end = fake_engine_connection(&engine, &mailbox);
	fake_engine_expect(&mailbox, 0);
	close_all(1);
	if (_i == 0)
		fdrecv_after_fork(mailbox.fdrecv);
	else
		fdrecv_close(mailbox.fdrecv);
	all_are_the_programs(1);
	close(mailbox.handoff.fd);
	close(end);
	close(mailbox.sender);
	fake_engine_stop(&engine);
}
END_TEST

/* While a connection is served. */
START_TEST(no_receipt_goes_to_a_socket_of_the_program)
{
	int types[] = {SOCK_STREAM, SOCK_DGRAM}, end;
	struct net_pair tcp;
	char byte;

	if (_i == 2) {
		net_pair(&tcp, AF_INET);
		files[0] = tcp.server;
		files[1] = tcp.client;
		close(tcp.listener);
	} else {
		ck_assert_int_eq(
		    socketpair(AF_UNIX, types[_i] | SOCK_CLOEXEC, 0, files), 0);
	}
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	end = fake_engine_connection(&engine, &mailbox);
	fake_engine_expect(&mailbox, 0);
	count = 0;
	close_one(mailbox.fdrecv->bound.fd, 1);
	close_one(mailbox.fdrecv->bound.directory, 1);
	close_one(mailbox.fdrecv->engines.items[0].fd, 1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fdrecv_close(mailbox.fdrecv);
	ck_assert_int_eq(recv(files[1], &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(send(taken[i], "x", 1, 0), 1);
		ck_assert_int_eq(recv(files[1], &byte, 1, 0), 1);
		ck_assert_int_eq(close(taken[i]), 0);
	}
	close(files[0]);
	close(files[1]);
	close(end);
	close(mailbox.sender);
	fake_engine_stop(&engine);
}
END_TEST

UNIT_SUITE(fdrecv_closed)
{
	TCase *tc = unit_case(suite, "fdrecv_closed");

	tcase_add_loop_test(
	    tc, a_mailbox_that_the_program_has_closed_says_so, 0, 4);
	tcase_add_loop_test(
	    tc, a_mailbox_that_is_none_any_more_is_an_error, 0, 2);
	tcase_add_loop_test(
	    tc, what_is_not_the_librarys_is_left_alone_in_the_end, 0, 2);
	tcase_add_loop_test(
	    tc, no_receipt_goes_to_a_socket_of_the_program, 0, 3);
}
