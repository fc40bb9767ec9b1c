/* SPDX-License-Identifier: ISC */
/*
 * fdrecv_next(): which datagrams are hand-offs and which are skipped; and that
 * no descriptor is lost or left open, whatever is sent and however few are
 * free.
 */
#include "fixture/fake_recvmsg.h"
#include "fixture/net.h"
#include "fixture/test_mailbox.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define MANY_FDS 253 /* of one message */

static unsigned char garbage[4096];

static struct test_mailbox mailbox;
static int room; /* free descriptors during the next recvmsg() */

/* Other threads may have taken the free descriptors that the library
 * counted. */
static ssize_t
recvmsg_with_room(int fd, struct msghdr *msg, int flags)
{
	int spares[2];
	unsigned long limit;
	ssize_t n;

	fake_recvmsg = NULL;
	for (int i = 0; i < room; i++)
		spares[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	limit = unit_limit_fds();
	for (int i = 0; i < room; i++)
		close(spares[i]);
	n = recvmsg(fd, msg, flags);
	unit_unlimit_fds(limit);
	return n;
}

static const struct {
	const char *bytes;
	size_t size;
} bare[] = {{"x", 1}, {"", 1}, {"\xff", 1}, {"", 0}};

START_TEST(at_most_one_byte_with_a_descriptor_is_a_hand_off)
{
	struct net_pair pair;

	test_mailbox_open(&mailbox, 0);
	net_pair(&pair, AF_INET);
	ck_assert_int_eq(net_send(mailbox.sender, bare[_i].bytes, bare[_i].size,
			     &pair.server, 1),
	    (ssize_t)bare[_i].size);
	ck_assert(net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN));
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 1);
	ck_assert(net_is_same(mailbox.handoff.fd, pair.server));
	ck_assert_int_ne(mailbox.handoff.fd, pair.server);
	ck_assert_int_eq(fcntl(mailbox.handoff.fd, F_GETFD), FD_CLOEXEC);
	ck_assert(!net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN));
	errno = ENODATA;
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(mailbox.handoff.fd, -1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(errno, ENODATA);
	net_pair_close(&pair);
	test_mailbox_close(&mailbox);
}
END_TEST

/* A datagram that begins like a header of this library is one, or nothing. */
static const struct {
	const char *begins;
	int filler;
	size_t size;
	size_t fds;
	int pipe;
} foreign[] = {
    {"", 0, 0, 0, 0},
    {"", 'x', 1, 0, 0},
    {"", 'x', 1, 2, 0},
    {"", 'x', 0, 2, 0},
    {"", 'x', 1, MANY_FDS, 0},
    {"", 'x', 1, 1, 1},
    {"", 'x', 2, 1, 0},
    {"", 0, 64, 1, 0},
    {"", 'x', sizeof(garbage), 1, 0},
    {"xfdr", 0, 4, 1, 0},
    {"xfdr", 0, 5, 1, 0},
    {"xfdr", 0, 400, 1, 0},
    {"xfdr", 0xff, 40, 1, 0},
    {"xfdr", 0xff, 400, 1, 0},
    {"xfdr", 0xff, 400, 0, 0},
    {"xfdr", 0xff, 400, MANY_FDS, 0},
    {"xfdr", 0xff, sizeof(garbage), 1, 0},
};

static void
send_foreign(size_t i)
{
	int ends[2], fds[MANY_FDS];

	if (foreign[i].pipe)
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	else
		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
		    0);
	for (size_t j = 0; j < MANY_FDS; j++)
		fds[j] = ends[j % 2];
	memset(garbage, foreign[i].filler, sizeof(garbage));
	memcpy(garbage, foreign[i].begins, strlen(foreign[i].begins));
	ck_assert_int_eq(net_send(mailbox.sender, garbage, foreign[i].size, fds,
			     foreign[i].fds),
	    (ssize_t)foreign[i].size);
	close(ends[0]);
	close(ends[1]);
}

START_TEST(what_is_no_hand_off_is_skipped_and_closed)
{
	test_mailbox_open(&mailbox, 0);
	for (int i = 0; i < 3; i++) {
		send_foreign((size_t)_i);
		test_mailbox_expect(
		    &mailbox, test_mailbox_connection(&mailbox));
	}
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(nothing_is_nothing_now_where_it_must_not_wait)
{
	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	send_foreign((size_t)_i);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(mailbox.handoff.fd, -1);
	ck_assert(!net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN | POLLRDHUP));
	send_foreign((size_t)_i);
	test_mailbox_expect(&mailbox, test_mailbox_connection(&mailbox));
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(what_lost_its_descriptor_on_the_way_is_skipped)
{
	int ends[2];

	test_mailbox_open(&mailbox, _i < 2 ? 0 : FDRECV_NONBLOCK);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	/* One descriptor without room, and two with room for one. */
	room = _i % 2;
	fake_recvmsg = recvmsg_with_room;
	ck_assert_int_eq(
	    net_send(mailbox.sender, "x", 1, ends, (size_t)room + 1), 1);
	close(ends[0]);
	close(ends[1]);
	test_mailbox_expect(&mailbox, test_mailbox_connection(&mailbox));
	ck_assert_ptr_null((void *)fake_recvmsg);
	test_mailbox_close(&mailbox);
}
END_TEST

static ssize_t
recvmsg_without_memory(int fd, struct msghdr *msg, int flags)
{
	(void)fd;
	(void)msg;
	(void)flags;
	fake_recvmsg = NULL;
	errno = ENOMEM;
	return -1;
}

START_TEST(without_memory_it_stays_where_it_is)
{
	int end;

	test_mailbox_open(&mailbox, _i == 0 ? 0 : FDRECV_NONBLOCK);
	end = test_mailbox_connection(&mailbox);
	fake_recvmsg = recvmsg_without_memory;
	if (_i > 0) {
		ck_assert_int_eq(
		    fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
		ck_assert_int_eq(errno, EAGAIN);
	}
	test_mailbox_expect(&mailbox, end);
	ck_assert_ptr_null((void *)fake_recvmsg);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(without_a_free_descriptor_it_stays_where_it_is)
{
	unsigned long limit;
	int end;

	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	end = test_mailbox_connection(&mailbox);
	ck_assert_int_ne(fdrecv_fd(mailbox.fdrecv), -1);
	limit = unit_limit_fds();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(mailbox.handoff.fd, -1);
	ck_assert(net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN));
	unit_unlimit_fds(limit);
	test_mailbox_expect(&mailbox, end);
	test_mailbox_close(&mailbox);
}
END_TEST

/* A structure inside of other bytes, which must not change. */
union framed {
	struct fdrecv_handoff handoff;
	unsigned char bytes[2 * sizeof(struct fdrecv_handoff)];
};

static const size_t sizes[] = {
    sizeof(struct fdrecv_handoff), sizeof(struct fdrecv_handoff) + 100};

START_TEST(a_structure_of_another_version_gets_what_both_know)
{
	static union framed framed;
	struct net_pair pair;
	size_t size = sizes[_i];

	test_mailbox_open(&mailbox, 0);
	net_pair(&pair, AF_INET);
	ck_assert_int_eq(net_send(mailbox.sender, "x", 1, &pair.server, 1), 1);
	memset(&framed, 0xaa, sizeof(framed));
	framed.handoff.size = size;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &framed.handoff), 1);
	ck_assert_uint_eq(framed.handoff.size, size);
	ck_assert(net_is_same(framed.handoff.fd, pair.server));
	ck_assert_int_eq(framed.handoff.kind, FDRECV_CONNECTION);
	ck_assert_int_eq(framed.handoff.pid, -1);
	ck_assert_uint_eq(framed.handoff.gid, (gid_t)-1);
	for (size_t i = sizeof(framed.handoff); i < sizeof(framed); i++)
		ck_assert_uint_eq(framed.bytes[i], i < size ? 0 : 0xaa);
	for (size_t i = size; i < sizeof(framed.handoff); i++)
		ck_assert_uint_eq(framed.bytes[i], 0xaa);
	fdrecv_done(mailbox.fdrecv, &framed.handoff);
	net_pair_close(&pair);
	test_mailbox_close(&mailbox);
}
END_TEST

static const size_t too_small[] = {
    0, sizeof(size_t), offsetof(struct fdrecv_handoff, receipted)};

START_TEST(a_structure_that_is_too_small_is_an_error)
{
	union framed framed;
	int end;

	test_mailbox_open(&mailbox, 0);
	end = test_mailbox_connection(&mailbox);
	memset(&framed, 0xaa, sizeof(framed));
	framed.handoff.size = too_small[_i];
	errno = 0;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &framed.handoff), -1);
	ck_assert_int_eq(errno, EINVAL);
	for (size_t i = sizeof(size_t); i < sizeof(framed); i++)
		ck_assert_uint_eq(framed.bytes[i], 0xaa);
	test_mailbox_expect(&mailbox, end);
	test_mailbox_close(&mailbox);
}
END_TEST

/* The mailbox's own descriptor, the only datagram socket with a path. */
UNIT_SUITE(fdrecv)
{
	TCase *tc = unit_case(suite, "fdrecv");

	tcase_add_loop_test(tc,
	    at_most_one_byte_with_a_descriptor_is_a_hand_off, 0,
	    (int)UNIT_COUNT(bare));
	tcase_add_loop_test(tc, what_is_no_hand_off_is_skipped_and_closed, 0,
	    (int)UNIT_COUNT(foreign));
	tcase_add_loop_test(tc, nothing_is_nothing_now_where_it_must_not_wait,
	    0, (int)UNIT_COUNT(foreign));
	tcase_add_loop_test(
	    tc, what_lost_its_descriptor_on_the_way_is_skipped, 0, 4);
	tcase_add_test(tc, without_a_free_descriptor_it_stays_where_it_is);
	tcase_add_loop_test(tc, without_memory_it_stays_where_it_is, 0, 2);
	tcase_add_loop_test(tc,
	    a_structure_of_another_version_gets_what_both_know, 0,
	    (int)UNIT_COUNT(sizes));
	tcase_add_loop_test(tc, a_structure_that_is_too_small_is_an_error, 0,
	    (int)UNIT_COUNT(too_small));
}
