/* SPDX-License-Identifier: ISC */
/*
 * The channel as a pair of sockets: what a send writes, the order, the end of
 * either side, and that neither side ever waits for the other.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/channel.h"
#include "fixture/net.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BARE sizeof(struct channel_header)

static int ends[2]; /* the sending and the receiving end */

static void
open_channel(void)
{
	ck_assert_int_eq(channel_pair(ends), 0);
}

static void
close_channel(void)
{
	if (ends[0] != -1)
		close(ends[0]);
	if (ends[1] != -1)
		close(ends[1]);
}

static void
close_sender(void)
{
	close(ends[0]);
	ends[0] = -1;
}

/* Receives no message; the outputs stay as they were.  Returns the result. */
static int
receive_none(void)
{
	struct channel_message message, before;
	int fd = -7, got;

	memset(&message, 'u', sizeof(message));
	before = message;
	errno = 0;
	got = channel_receive(ends[1], 1, CHANNEL_LOADING, &message, &fd);
	ck_assert_int_eq(fd, -7);
	ck_assert_mem_eq(&message, &before, sizeof(message));
	return got;
}

static void
receive_ready(void)
{
	struct channel_message message;
	int fd = -7;

	ck_assert_int_eq(
	    channel_receive(ends[1], 1, CHANNEL_LOADING, &message, &fd), 1);
	ck_assert_uint_eq(message.header.type, CHANNEL_READY);
	ck_assert_int_eq(fd, -1);
}

START_TEST(both_ends_keep_packets_never_wait_and_are_closed_on_exec)
{
	int type;
	socklen_t size = sizeof(type);

	ck_assert_int_eq(
	    getsockopt(ends[_i], SOL_SOCKET, SO_TYPE, &type, &size), 0);
	ck_assert_int_eq(type, SOCK_SEQPACKET);
	ck_assert_int_eq(fcntl(ends[_i], F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(ends[_i], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

START_TEST(no_descriptor_can_be_sent_up_where_the_kernel_can_forbid_it)
{
	int passes = 1;
	socklen_t size = sizeof(passes);

	if (getsockopt(ends[0], SOL_SOCKET, SO_PASSRIGHTS, &passes, &size) ==
	    -1) {
		ck_assert_int_eq(errno, ENOPROTOOPT);
		unit_skip("the kernel is older than 6.16");
		return;
	}
	ck_assert_int_eq(passes, 0);
	ck_assert_int_eq(
	    getsockopt(ends[1], SOL_SOCKET, SO_PASSRIGHTS, &passes, &size), 0);
	ck_assert_int_eq(passes, 1);
}
END_TEST

/* The engine's end: no descriptor may be sent to the monitor. */
START_TEST(an_end_is_closed_without_waiting_for_what_is_in_it)
{
	int listener = net_strand(ends[0]);

	errno = ENODATA;
	ends[1] = fd_close_limited(ends[1]);
	ck_assert_int_eq(ends[1], -1);
	ck_assert_int_eq(errno, ENODATA);
	ck_assert_int_eq(fd_close_limited(-1), -1);
	close(listener);
}
END_TEST

START_TEST(the_sender_fills_in_the_header_of_what_it_is_given)
{
	const size_t size = BARE + sizeof(struct channel_socket);
	struct channel_message sent, got;
	size_t count = 0;

	memset(&sent, 's', sizeof(sent));
	memset(&got, 'g', sizeof(got));
	ck_assert_int_eq(channel_send(ends[0], CHANNEL_SOCKET, &sent, -1), 0);
	ck_assert_int_eq(net_receive(ends[1], &got, sizeof(got), NULL, &count),
	    (ssize_t)size);
	ck_assert_uint_eq(got.header.version, CHANNEL_VERSION);
	ck_assert_uint_eq(got.header.type, CHANNEL_SOCKET);
	ck_assert_uint_eq(got.header.size, size);
	memset(&got.header, 's', sizeof(got.header));
	memset(&sent.header, 's', sizeof(sent.header));
	ck_assert_mem_eq(&got, &sent, size);
}
END_TEST

/* With and without a message; the body of a message does not matter. */
START_TEST(a_message_that_is_a_header_is_no_longer_than_one)
{
	struct channel_message sent, got;
	size_t count = 0;

	memset(&sent, 's', sizeof(sent));
	ck_assert_int_eq(
	    channel_send(ends[0], CHANNEL_READY, _i == 0 ? NULL : &sent, -1),
	    0);
	ck_assert_int_eq(net_receive(ends[1], &got, sizeof(got), NULL, &count),
	    (ssize_t)BARE);
	ck_assert_uint_eq(got.header.version, CHANNEL_VERSION);
	ck_assert_uint_eq(got.header.type, CHANNEL_READY);
	ck_assert_uint_eq(got.header.size, BARE);
}
END_TEST

START_TEST(what_is_received_overwrites_no_more_than_its_size)
{
	struct channel_message message, before;
	int fd = -7;

	memset(&message, 'u', sizeof(message));
	before = message;
	ck_assert_int_eq(channel_send(ends[0], CHANNEL_READY, NULL, -1), 0);
	ck_assert_int_eq(
	    channel_receive(ends[1], 1, CHANNEL_LOADING, &message, &fd), 1);
	before.header = message.header;
	ck_assert_mem_eq(&message, &before, sizeof(message));
}
END_TEST

START_TEST(messages_keep_their_order_and_their_descriptors)
{
	struct channel_message message;
	int fds[3], got, fd;

	memset(&message, 0, sizeof(message));
	for (uint32_t i = 0; i < 3; i++) {
		fds[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		message.u.socket.index = i;
		ck_assert_int_eq(
		    channel_send(ends[0], CHANNEL_SOCKET, &message, fds[i]), 0);
	}
	for (uint32_t i = 0; i < 3; i++) {
		got =
		    channel_receive(ends[1], 0, CHANNEL_LOADING, &message, &fd);
		ck_assert_int_eq(got, 1);
		ck_assert_uint_eq(message.u.socket.index, i);
		ck_assert(net_is_same(fd, fds[i]));
		close(fd);
		close(fds[i]);
	}
}
END_TEST

START_TEST(nothing_there_is_said_at_once)
{
	ck_assert_int_eq(receive_none(), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(the_end_comes_behind_what_was_sent_and_stays)
{
	ck_assert_int_eq(channel_send(ends[0], CHANNEL_READY, NULL, -1), 0);
	close_sender();
	receive_ready();
	ck_assert_int_eq(receive_none(), 0);
	ck_assert_int_eq(receive_none(), 0);
}
END_TEST

/* The error is reported once, by the kernel: see unix(7). */
START_TEST(an_end_that_left_messages_unread_is_an_error)
{
	ck_assert_int_eq(channel_send(ends[1], CHANNEL_START, NULL, -1), 0);
	close_sender();
	ck_assert_int_eq(receive_none(), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert_int_eq(receive_none(), 0);
}
END_TEST

START_TEST(a_message_after_one_that_was_refused_is_whole)
{
	ck_assert_int_eq(channel_send(ends[0], CHANNEL_START, NULL, -1), 0);
	ck_assert_int_eq(channel_send(ends[0], CHANNEL_READY, NULL, -1), 0);
	ck_assert_int_eq(receive_none(), -1);
	ck_assert_int_eq(errno, EPROTO);
	receive_ready();
}
END_TEST

/* The kernel does not tell which of the two it is. */
START_TEST(a_packet_of_no_bytes_is_as_good_as_the_end)
{
	ck_assert_int_eq(net_send(ends[0], NULL, 0, NULL, 0), 0);
	ck_assert_int_eq(receive_none(), 0);
}
END_TEST

/* Messages that were sent before arrive, and no others. */
START_TEST(a_receiver_that_does_not_read_stops_nobody)
{
	int sent = 0, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	while (channel_send(ends[0], CHANNEL_READY, NULL, -1) == 0)
		ck_assert_int_lt(++sent, 100000);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(channel_send(ends[0], CHANNEL_READY, NULL, fd), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	ck_assert_int_gt(sent, 0);
	while (sent-- > 0)
		receive_ready();
	ck_assert_int_eq(receive_none(), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(a_receiver_that_is_gone_is_an_error)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close_sender();
	ck_assert_int_eq(channel_send(ends[1], CHANNEL_READY, NULL, fd), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}
END_TEST

START_TEST(a_pair_that_cannot_be_made_is_an_error)
{
	unsigned long limit = unit_limit_fds();
	int none[2] = {-7, -7};

	ck_assert_int_eq(channel_pair(none), -1);
	ck_assert_int_eq(errno, EMFILE);
	unit_unlimit_fds(limit);
	ck_assert_int_eq(none[0], -7);
	ck_assert_int_eq(none[1], -7);
}
END_TEST

UNIT_SUITE(channel_pair)
{
	TCase *tc = unit_case(suite, "pair");

	tcase_add_checked_fixture(tc, open_channel, close_channel);
	tcase_add_loop_test(
	    tc, both_ends_keep_packets_never_wait_and_are_closed_on_exec, 0, 2);
	tcase_add_test(tc, an_end_is_closed_without_waiting_for_what_is_in_it);
	tcase_add_test(
	    tc, no_descriptor_can_be_sent_up_where_the_kernel_can_forbid_it);
	tcase_add_test(tc, the_sender_fills_in_the_header_of_what_it_is_given);
	tcase_add_loop_test(
	    tc, a_message_that_is_a_header_is_no_longer_than_one, 0, 2);
	tcase_add_test(tc, what_is_received_overwrites_no_more_than_its_size);
	tcase_add_test(tc, messages_keep_their_order_and_their_descriptors);
	tcase_add_test(tc, nothing_there_is_said_at_once);
	tcase_add_test(tc, the_end_comes_behind_what_was_sent_and_stays);
	tcase_add_test(tc, an_end_that_left_messages_unread_is_an_error);
	tcase_add_test(tc, a_message_after_one_that_was_refused_is_whole);
	tcase_add_test(tc, a_packet_of_no_bytes_is_as_good_as_the_end);
	tcase_add_test(tc, a_receiver_that_does_not_read_stops_nobody);
	tcase_add_test(tc, a_receiver_that_is_gone_is_an_error);
	tcase_add_test(tc, a_pair_that_cannot_be_made_is_an_error);
}
