/* SPDX-License-Identifier: ISC */
/*
 * What an engine that was taken over returns, so that those after it have no
 * descriptor, no time or no connection left.
 */
#include "fixture/net.h"
#include "fixture/test_returns.h"
#include "fixture/unit.h"

#include "base/clock.h"
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

#define MANY 4096  /* connections of one worker */
#define LOOKED 256 /* in a part of a look */
#define PEERS 64   /* receipt connections, with more than a look may read */

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

/* Whoever has the end of an engine, which may be a worker, goes on for as long
 * as it lives: what is no connection at all, or the same one again and again.
 */
START_TEST(what_comes_without_end_gets_a_tenth_of_the_time)
{
	struct returns_reader *reader;
	int client, fd, ends[2];

	test_returns_init(&test);
	test_core_limit(&test.web.pool.core);
	fd = test_returns_connection(&test, &client);
	test_returns_pair(ends);
	returns_start(&test.returns);
	reader = TAILQ_FIRST(&test.returns.readers);
	reader->effort.until_us = 0;
	ck_assert(put(test.keeper, RETURNED_HELD, 0, fd, -1));
	ck_assert_uint_eq(test_returns_received(&test), 1);
	ck_assert_uint_eq(reader->effort.until_us, 0);
	if (_i == 1) /* as many as there can be descriptors */
		test.returns.brought =
		    (uint64_t)test.web.pool.core.reserve.first;
	ck_assert(
	    put(test.keeper, RETURNED_HELD, 0, _i == 1 ? fd : ends[0], -1));
	test_returns_received(&test);
	ck_assert_uint_ne(reader->effort.until_us, 0);
	/* As if it had taken very long. */
	reader->effort.until_us = clock_us() + UINT64_C(3600000000);
	ck_assert(put(test.keeper, RETURNED_HELD, 0, ends[0], -1));
	test_returns_received(&test);
	ck_assert(timer_is_set(&reader->rest));
	test_listener_await_log(&test.web, "for a tenth of the time");
	/* What comes meanwhile waits, also that of good ones. */
	ck_assert(put(test.keeper, RETURNED_HELD, 0, fd, -1));
	ck_assert_uint_eq(test_returns_received(&test), 0);
	reader->effort.until_us = 0;
	timer_stop(&reader->rest);
	reader->rest.on_time(reader);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	close(fd);
	close(client);
	close(ends[0]);
	close(ends[1]);
	test_returns_done(&test);
}
END_TEST

/* The kernel is asked about each. */
START_TEST(many_that_a_worker_has_are_looked_at_in_parts)
{
	struct sent_before *sent = &test.returns.sent;
	int client, fd, link[2];

	test_returns_init(&test);
	test_core_limit(&test.web.pool.core);
	fd = test_returns_connection(&test, &client);
	test_returns_pair(link);
	returns_start(&test.returns);
	for (int i = 0; i < LOOKED + 1; i++)
		while (!put(test.keeper, RETURNED_SENT, 1000, fd, link[1]))
			event_base_loop(
			    test.web.pool.core.base, EVLOOP_NONBLOCK);
	while (sent->count < LOOKED + 1)
		event_base_loop(test.web.pool.core.base, EVLOOP_NONBLOCK);
	timer_stop(&sent->look);
	sent->looked = 0;
	sent->rest_until_us = 0;
	sent->look.on_time(sent);
	ck_assert_uint_eq(sent->looked, LOOKED);
	ck_assert(timer_is_set(&sent->look));
	ck_assert_uint_ge(sent->rest_until_us, 1);
	sent->look.on_time(sent);
	ck_assert_uint_eq(sent->looked, 0); /* all have had their turn */
	ck_assert_uint_eq(sent->count, LOOKED + 1);
	close(fd);
	close(client);
	close(link[0]);
	close(link[1]);
	test_returns_done(&test);
}
END_TEST

/* Each reading counts, whatever was read. */
START_TEST(garbage_on_many_receipt_connections_takes_a_limited_time)
{
	struct sent_before *sent = &test.returns.sent;
	int client, fd, link[PEERS][2], left = 0;

	test_returns_init(&test);
	test_core_limit(&test.web.pool.core);
	fd = test_returns_connection(&test, &client);
	returns_start(&test.returns);
	for (int i = 0; i < PEERS; i++) {
		test_returns_pair(link[i]);
		while (!put(test.keeper, RETURNED_SENT, 1000, fd, link[i][1]))
			event_base_loop(
			    test.web.pool.core.base, EVLOOP_NONBLOCK);
	}
	while (sent->count < PEERS)
		event_base_loop(test.web.pool.core.base, EVLOOP_NONBLOCK);
	for (int i = 0; i < PEERS; i++)
		for (int n = 0; n < 64; n++)
			send(link[i][0], "x", 1, MSG_DONTWAIT);
	timer_stop(&sent->look);
	sent->look.on_time(sent);
	for (int i = 0; i < PEERS; i++)
		left += unread(link[i][0]) > 0;
	ck_assert_int_ge(left, PEERS / 2);
	/* The others are next. */
	for (int i = 0; left > 0 && i < 100; i++) {
		sent->look.on_time(sent);
		left = 0;
		for (int n = 0; n < PEERS; n++)
			left += unread(link[n][0]) > 0;
	}
	ck_assert_int_eq(left, 0);
	for (int i = 0; i < PEERS; i++) {
		close(link[i][0]);
		close(link[i][1]);
	}
	close(fd);
	close(client);
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
	tcase_add_loop_test(
	    tc, what_comes_without_end_gets_a_tenth_of_the_time, 0, 2);
	tcase_add_test(tc, many_that_a_worker_has_are_looked_at_in_parts);
	tcase_add_test(
	    tc, garbage_on_many_receipt_connections_takes_a_limited_time);
}
