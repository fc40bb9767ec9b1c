/* SPDX-License-Identifier: ISC */
/*
 * Packets of any content, with and without a descriptor.  The channel is made
 * of these, and so is the protocol between a new monitor and an orphan.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/channel.h"
#include "fixture/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static int ends[2]; /* the sending and the receiving end */
static int token,
    watch; /* a descriptor to send; it is hung up when no process holds it */
static char buffer[4];

static void
open_channel(void)
{
	int pipe_ends[2];

	ck_assert_int_eq(channel_pair(ends), 0);
	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
	watch = pipe_ends[0];
	token = pipe_ends[1];
	memset(buffer, 'u', sizeof(buffer));
}

static void
close_channel(void)
{
	ck_assert_msg(!net_polls(watch, POLLHUP), "the sender's was closed");
	close(token);
	ck_assert_msg(net_polls(watch, POLLHUP), "still open elsewhere");
	close(watch);
	close(ends[0]);
	close(ends[1]);
}

/* The descriptor of a refused packet is closed, and out_fd stays as it was. */
static void
refuse(size_t size, int room)
{
	int fd = -7;

	errno = 0;
	ck_assert_int_eq(channel_take(ends[1], buffer, size, room, &fd), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(fd, -7);
}

START_TEST(a_packet_brings_its_bytes_and_its_descriptor)
{
	int fd = -7;

	ck_assert_int_eq(channel_put(ends[0], "abc", 3, _i ? token : -1), 0);
	ck_assert_int_eq(channel_take(ends[1], buffer, 3, 1, &fd), 3);
	ck_assert_mem_eq(buffer, "abcu", 4);
	ck_assert_int_eq(fd != -1, _i);
	if (_i == 0)
		return;
	ck_assert(net_is_same(fd, token));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}
END_TEST

START_TEST(a_packet_that_is_too_long_is_refused)
{
	ck_assert_int_eq(channel_put(ends[0], "abcd", 4, _i ? token : -1), 0);
	refuse(3, 1);
	ck_assert_int_eq(buffer[3], 'u');
}
END_TEST

START_TEST(a_packet_with_more_descriptors_than_there_is_room_is_refused)
{
	const int fds[] = {token, token};

	ck_assert_int_eq(net_send(ends[0], "a", 1, fds, 1 + (size_t)_i), 1);
	refuse(sizeof(buffer), _i);
}
END_TEST

START_TEST(a_descriptor_without_a_byte_is_the_receivers_all_the_same)
{
	int fd = -7;

	ck_assert_int_eq(net_send(ends[0], NULL, 0, &token, 1), 0);
	ck_assert_int_eq(channel_take(ends[1], buffer, 4, 1, &fd), 0);
	ck_assert(net_is_same(fd, token));
	close(fd);
}
END_TEST

START_TEST(nothing_there_and_the_end_are_told_apart)
{
	int fd = -7;

	errno = 0;
	ck_assert_int_eq(channel_take(ends[1], buffer, 4, 1, &fd), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fd, -7);
	ck_assert_int_eq(shutdown(ends[0], SHUT_WR), 0);
	ck_assert_int_eq(channel_take(ends[1], buffer, 4, 1, &fd), 0);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(whoever_cannot_be_told_is_an_error_and_no_signal)
{
	int sent = 0;

	if (_i == 0) {
		ck_assert_int_eq(shutdown(ends[1], SHUT_RD), 0);
		ck_assert_int_eq(channel_put(ends[0], "a", 1, token), -1);
		ck_assert_int_eq(errno, EPIPE);
		return;
	}
	while (channel_put(ends[0], "a", 1, -1) == 0)
		ck_assert_int_lt(++sent, 100000);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(channel_put(-1, "a", 1, token), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* With one free descriptor this process closes it, without one the kernel. */
START_TEST(a_socket_that_lingers_is_refused_without_waiting)
{
	int other[2], listener, stranded;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, other), 0);
	listener = net_strand(other[0]);
	stranded = net_take(other[1]);
	ck_assert_int_eq(channel_put(ends[0], "abcd", 4, stranded), 0);
	fd_close_limited(stranded);
	refuse(3, _i);
	close(other[0]);
	close(other[1]);
	close(listener);
}
END_TEST

START_TEST(a_bit_tells_who_is_removed)
{
	struct channel_drain drain = {.stop = 0};

	drain.removed[0] = 0x81;
	drain.removed[RECORD_MAX / 8 - 1] = 0x80;
	for (uint32_t i = 0; i < RECORD_MAX; i++)
		ck_assert_int_eq(channel_is_removed(&drain, i),
		    i == 0 || i == 7 || i == RECORD_MAX - 1);
	ck_assert_int_eq(channel_is_removed(&drain, RECORD_MAX), 0);
	ck_assert_int_eq(channel_is_removed(&drain, UINT32_MAX), 0);
}
END_TEST

UNIT_SUITE(channel_packet)
{
	TCase *tc = unit_case(suite, "packet");

	tcase_add_checked_fixture(tc, open_channel, close_channel);
	tcase_add_loop_test(
	    tc, a_packet_brings_its_bytes_and_its_descriptor, 0, 2);
	tcase_add_loop_test(tc, a_packet_that_is_too_long_is_refused, 0, 2);
	tcase_add_loop_test(tc,
	    a_packet_with_more_descriptors_than_there_is_room_is_refused, 0, 2);
	tcase_add_test(
	    tc, a_descriptor_without_a_byte_is_the_receivers_all_the_same);
	tcase_add_test(tc, nothing_there_and_the_end_are_told_apart);
	tcase_add_loop_test(
	    tc, whoever_cannot_be_told_is_an_error_and_no_signal, 0, 2);
	tcase_add_loop_test(
	    tc, a_socket_that_lingers_is_refused_without_waiting, 0, 2);
	tcase_add_test(tc, a_bit_tells_who_is_removed);
}
