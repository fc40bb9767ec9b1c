/* SPDX-License-Identifier: ISC */
/*
 * What an engine that was taken over returns, so that those after it have no
 * descriptor, no time or no connection left.
 */
#include "fixture/net.h"
#include "fixture/test_returns.h"
#include "fixture/unit.h"

#include "engine/handoff/returned.h"

#include "wire/link.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

#define MANY 4096 /* connections of one worker */

static struct test_returns test;

/* Sends a message (borrows both; peer -1: none).  True if there was room. */
static int
put(int to, enum returned_kind kind, uint64_t sequence, int fd, int peer)
{
	const struct returned returned = {.magic = RETURNED_MAGIC,
	    .version = RETURNED_VERSION,
	    .kind = (uint8_t)kind,
	    .accept_time_ns = 1,
	    .sequence = sequence};
	const int fds[2] = {fd, peer};

	return net_send(to, &returned, sizeof(returned), fds,
		   peer == -1 ? 1 : 2) == sizeof(returned);
}

/* The lowest number that is free. */
static int
lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	close(fd);
	return fd;
}

START_TEST(a_socket_that_adds_pidfds_leaves_none_here)
{
	int ends[2], on = 1, before;

	test_returns_init(&test);
	returns_start(&test.returns);
	before = lowest_free();
	for (int i = 0; i < 8; i++) {
		test_returns_pair(ends);
		if (setsockopt(ends[1], SOL_SOCKET, SO_PASSPIDFD, &on,
			sizeof(on)) == 0)
			ck_assert_int_eq(send(ends[0], "x", 1, 0), 1);
		ck_assert(put(test.keeper, RETURNED_READER, 0, ends[1], -1));
		close(ends[0]);
		close(ends[1]);
		ck_assert_uint_eq(test_returns_received(&test), 0);
	}
	ck_assert_uint_eq(test.returns.reader_count, 1);
	ck_assert_int_eq(lowest_free(), before);
	test_returns_done(&test);
}
END_TEST

/* The close of a file may wait for ever (FUSE), so what is no socket stays
 * open; and few of them do. */
START_TEST(what_is_no_socket_is_not_closed)
{
	int ends[2], before, left = 0,
			     file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	test_returns_init(&test);
	returns_start(&test.returns);
	before = lowest_free();
	for (int i = 0; i < 40; i++) {
		test_returns_pair(ends);
		ck_assert(put(ends[0], RETURNED_SENT, 0, file, file));
		put(test.keeper, RETURNED_READER, 0, ends[1], -1);
		close(ends[0]);
		close(ends[1]);
		ck_assert_uint_eq(test_returns_received(&test), 0);
	}
	for (int fd = before; fd < before + 128; fd++)
		left += close(fd) == 0;
	ck_assert_int_eq(left, 2);
	close(file);
	test_returns_done(&test);
}
END_TEST

START_TEST(too_many_readers_do_not_keep_others_out)
{
	int client, ends[2], fd;

	test_returns_init(&test);
	test_returns_pair(ends);
	for (int i = 0; i < 40; i++)
		ck_assert(put(test.keeper, RETURNED_READER, 0, ends[1], -1));
	fd = test_returns_connection(&test, &client);
	ck_assert(put(test.keeper, RETURNED_HELD, 0, fd, -1));
	close(fd);
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	test_listener_await_log(&test.web, "it has too many others");
	close(client);
	close(ends[0]);
	close(ends[1]);
	test_returns_done(&test);
}
END_TEST

/* SO_PEEK_OFF hides from a look what read(2) gets. */
START_TEST(what_cannot_be_looked_at_is_read)
{
	int client, ends[2], fd, offset = 1 << 20;

	test_returns_init(&test);
	test_returns_pair(ends);
	ck_assert_int_eq(setsockopt(ends[1], SOL_SOCKET, SO_PEEK_OFF, &offset,
			     sizeof(offset)),
	    0);
	ck_assert(put(test.keeper, RETURNED_READER, 0, ends[1], -1));
	close(ends[1]);
	fd = test_returns_connection(&test, &client);
	ck_assert(put(ends[0], RETURNED_HELD, 0, fd, -1));
	close(fd);
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	close(client);
	close(ends[0]);
	test_returns_done(&test);
}
END_TEST

/* One connection, again and again: here all of the same worker, which has no
 * room, or of nobody. */
START_TEST(what_comes_without_end_leaves_descriptors)
{
	enum returned_kind kind = _i == 0 ? RETURNED_HELD : RETURNED_SENT;
	struct rlimit limit = {256, 256};
	int client, fd, link[2];

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	test_returns_init(&test);
	test_core_limit(&test.web.pool.core);
	fd = test_returns_connection(&test, &client);
	test_returns_pair(link);
	returns_start(&test.returns);
	for (int i = 0; i < 1024; i++) {
		while (!put(
		    test.keeper, kind, (uint64_t)i, fd, _i == 0 ? -1 : link[1]))
			ck_assert_int_eq(
			    event_base_loop(
				test.web.pool.core.base, EVLOOP_ONCE),
			    0);
		event_base_loop(test.web.pool.core.base, EVLOOP_NONBLOCK);
	}
	ck_assert_int_lt(lowest_free(), 200);
	close(fd);
	close(client);
	close(link[0]);
	close(link[1]);
	test_returns_done(&test);
}
END_TEST

static int
unread(int fd)
{
	int queued;

	ck_assert_int_eq(ioctl(fd, SIOCOUTQ, &queued), 0);
	return queued;
}

/* Each receipt is compared with each connection of its worker. */
START_TEST(receipts_without_end_take_a_limited_time)
{
	struct {
		struct fdrecv_wire_receipts head;
		struct fdrecv_wire_receipt receipts[FDRECV_WIRE_RECEIPTS_MAX];
	} message = {.head = {.magic = FDRECV_WIRE_RECEIPTS_MAGIC,
			 .version = FDRECV_WIRE_VERSION,
			 .size = sizeof(message.head),
			 .count = FDRECV_WIRE_RECEIPTS_MAX,
			 .receipt_size = sizeof(message.receipts[0])}};
	int client, fd, link[2], before;

	test_returns_init(&test);
	test_core_limit(&test.web.pool.core);
	fd = test_returns_connection(&test, &client);
	test_returns_pair(link);
	returns_start(&test.returns);
	for (int i = 0; i < MANY; i++)
		while (!put(test.keeper, RETURNED_SENT, 1000, fd, link[1]))
			event_base_loop(
			    test.web.pool.core.base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(test_returns_received(&test), 0);
	while (net_send(link[0], &message, sizeof(message), NULL, 0) > 0)
		;
	before = unread(link[0]);
	while (unread(link[0]) == before)
		ck_assert_int_eq(
		    event_base_loop(test.web.pool.core.base, EVLOOP_ONCE), 0);
	ck_assert_int_gt(unread(link[0]), before / 2);
	close(fd);
	close(client);
	close(link[0]);
	close(link[1]);
	test_returns_done(&test);
}
END_TEST

UNIT_SUITE(returns_hostile)
{
	TCase *tc = unit_case(suite, "returns_hostile");

	tcase_add_test(tc, a_socket_that_adds_pidfds_leaves_none_here);
	tcase_add_test(tc, what_is_no_socket_is_not_closed);
	tcase_add_test(tc, too_many_readers_do_not_keep_others_out);
	tcase_add_test(tc, what_cannot_be_looked_at_is_read);
	tcase_add_loop_test(
	    tc, what_comes_without_end_leaves_descriptors, 0, 2);
	tcase_add_test(tc, receipts_without_end_take_a_limited_time);
}
