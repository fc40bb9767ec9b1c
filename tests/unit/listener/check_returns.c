/* SPDX-License-Identifier: ISC */
/*
 * Connections that come back from engines that were killed, which may have been
 * hostile.
 */
#include "fixture/net.h"
#include "fixture/test_returns.h"
#include "fixture/unit.h"

#include "engine/handoff/returned.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static struct test_returns test;

static struct returned
message(enum returned_kind kind)
{
	return (struct returned){.magic = RETURNED_MAGIC,
	    .version = RETURNED_VERSION,
	    .kind = (uint8_t)kind,
	    .accept_time_ns = 1};
}

/* Takes fd and peer (-1: none). */
static void
put_message(struct returned returned, int fd, int peer)
{
	int fds[2] = {fd, peer};

	ck_assert_int_eq(net_send(test.keeper, &returned, sizeof(returned), fds,
			     peer == -1 ? 1 : 2),
	    sizeof(returned));
	close(fd);
	if (peer != -1)
		close(peer);
}

static void
put(enum returned_kind kind, int fd, int peer)
{
	put_message(message(kind), fd, peer);
}

static void
await_end(int client)
{
	test_core_limit(&test.web.pool.core);
	while (!net_polls(client, POLLRDHUP))
		ck_assert_int_eq(
		    event_base_loop(test.web.pool.core.base, EVLOOP_ONCE), 0);
}

START_TEST(what_no_worker_had_is_sent_to_one)
{
	char byte = 0;
	int client;

	test_returns_init(&test);
	put(RETURNED_HELD, test_returns_connection(&test, &client), -1);
	ck_assert_uint_eq(
	    test_returns_received(&test), 0); /* START has not come */
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	ck_assert_uint_eq(test.web.listener->stats->returned_engine, 1);
	ck_assert_uint_eq(test.web.listener->stats->held, 0);
	ck_assert_int_eq(recv(test.keeper, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(byte, RETURNED_READ);
	close(client);
	put(RETURNED_HELD, test_returns_connection(&test, &client), -1);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	close(client);
	test_returns_done(&test);
}
END_TEST

START_TEST(what_was_not_noted_is_counted_here)
{
	struct returned returned = message(RETURNED_HELD);
	int client;

	test_returns_init(&test);
	returned.accept_time_ns = 0;
	put_message(returned, test_returns_connection(&test, &client), -1);
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	ck_assert_uint_eq(test.web.listener->stats->returned_engine, 0);
	ck_assert_uint_eq(test.web.listener->stats->accepted, 1);
	close(client);
	test_returns_done(&test);
}
END_TEST

START_TEST(what_another_keeper_returned_is_read_too)
{
	int client, ends[2], first;

	test_returns_init(&test);
	first = test.keeper;
	test_returns_pair(ends);
	put(RETURNED_READER, ends[1], -1);
	test.keeper = ends[0];
	put(RETURNED_HELD, test_returns_connection(&test, &client), -1);
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	close(client);
	close(first);
	test_returns_done(&test);
}
END_TEST

#define WHOLE sizeof(struct returned), RETURNED_MAGIC

static const struct {
	size_t size;
	const char *magic;
	uint16_t version;
	uint8_t kind;
	size_t fds;
} junk[] = {
    {WHOLE, RETURNED_VERSION, 0, 1},
    {WHOLE, RETURNED_VERSION, 5, 1},
    {WHOLE, RETURNED_VERSION + 1, RETURNED_HELD, 1},
    {sizeof(struct returned), "junk", RETURNED_VERSION, RETURNED_HELD, 1},
    {WHOLE, RETURNED_VERSION, RETURNED_HELD, 0},
    {WHOLE, RETURNED_VERSION, RETURNED_HELD, 2},
    {WHOLE, RETURNED_VERSION, RETURNED_HELD, 3},
    {WHOLE, RETURNED_VERSION, RETURNED_HELD, 200},
    {WHOLE, RETURNED_VERSION, RETURNED_SENT, 1},
    {sizeof(struct returned) - 1, RETURNED_MAGIC, RETURNED_VERSION,
	RETURNED_HELD, 1},
    {sizeof(struct returned) + 1, RETURNED_MAGIC, RETURNED_VERSION,
	RETURNED_HELD, 1},
    {1, RETURNED_MAGIC, RETURNED_VERSION, RETURNED_HELD, 0},
};

START_TEST(a_message_that_is_wrong_ends_its_socket)
{
	unsigned char bytes[sizeof(struct returned) + 1] = {0};
	struct returned returned = message((enum returned_kind)junk[_i].kind);
	int client, fds[200], ends[2], first;

	test_returns_init(&test);
	memcpy(returned.magic, junk[_i].magic, sizeof(returned.magic));
	returned.version = junk[_i].version;
	memcpy(bytes, &returned, sizeof(returned));
	fds[0] = test_returns_connection(&test, &client);
	for (size_t i = 1; i < junk[_i].fds; i++)
		fds[i] = fds[0];
	ck_assert_int_gt(
	    net_send(test.keeper, bytes, junk[_i].size, fds, junk[_i].fds), 0);
	close(fds[0]);
	returns_start(&test.returns);
	ck_assert(net_polls(test.keeper, POLLHUP));
	await_end(client);
	ck_assert_uint_eq(test_returns_received(&test), 0);
	test_listener_await_log(&test.web, "nothing more is taken from it");
	close(client);
	test_returns_pair(ends);
	ck_assert_int_eq(returns_add(&test.returns, ends[1]), 0);
	first = test.keeper;
	test.keeper = ends[0];
	put(RETURNED_HELD, test_returns_connection(&test, &client), -1);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	close(first);
	close(client);
	test_returns_done(&test);
}
END_TEST

static int
strange(int which, int *out_client)
{
	struct net_pair pair;
	int ends[2];

	*out_client = -1;
	switch (which) {
	case 0:
		return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case 1:
		return fcntl(test.web.port, F_DUPFD_CLOEXEC, 0);
	case 2:
		return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case 3:
		return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case 4:
		test_returns_pair(ends);
		*out_client = ends[0];
		return ends[1];
	default:
		net_pair(&pair, AF_INET); /* of a port that is not ours */
		close(pair.listener);
		*out_client = pair.client;
		return pair.server;
	}
}

START_TEST(what_is_no_connection_of_a_listener_is_closed)
{
	int client, other;

	test_returns_init(&test);
	put(RETURNED_HELD, strange(_i, &other), -1);
	put(RETURNED_HELD, test_returns_connection(&test, &client), -1);
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 1);
	test_listener_await_log(&test.web, "belongs to no listener");
	ck_assert(other == -1 || net_polls(other, POLLRDHUP | POLLHUP));
	if (other != -1)
		close(other);
	close(client);
	test_returns_done(&test);
}
END_TEST

START_TEST(a_flood_does_not_hold_up_the_start)
{
	struct returned returned = message(RETURNED_HELD);
	int null = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	test_returns_init(&test);
	while (net_send(test.keeper, &returned, sizeof(returned), &null, 1) > 0)
		;
	for (int i = 0; i < 10; i++)
		returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 0);
	ck_assert_uint_eq(test.returns.reader_count, 1);
	close(null);
	test_returns_done(&test);
}
END_TEST

/* A receipt connection of a worker to the dead engine: the engine's end. */
static int
receipt_conn(int *out_worker)
{
	int ends[2];

	test_returns_pair(ends);
	*out_worker = ends[0];
	return ends[1];
}

START_TEST(what_a_worker_touches_is_its_own)
{
	int client, worker, served;

	test_returns_init(&test);
	served = test_returns_connection(&test, &client);
	put(RETURNED_SENT, fcntl(served, F_DUPFD_CLOEXEC, 0),
	    receipt_conn(&worker));
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), 0);
	ck_assert_int_eq(send(served, "x", 1, 0), 1);
	close(served);
	await_end(client); /* not before the duplicate here is closed */
	ck_assert_int_eq(send(worker, "x", 1, MSG_NOSIGNAL), -1);
	ck_assert_uint_eq(test_returns_received(&test), 0);
	close(worker);
	close(client);
	test_returns_done(&test);
}
END_TEST

START_TEST(what_a_dead_worker_has_not_touched_goes_to_another)
{
	int client, worker = -1;

	test_returns_init(&test);
	put(_i == 0 ? RETURNED_SENT : RETURNED_DEAD,
	    test_returns_connection(&test, &client),
	    _i == 0 ? receipt_conn(&worker) : -1);
	returns_start(&test.returns);
	ck_assert_uint_eq(test_returns_received(&test), (size_t)_i);
	if (_i == 0)
		close(worker);
	test_core_limit(&test.web.pool.core);
	while (test.web.listener->stats->returned_sent == 0)
		ck_assert_int_eq(
		    event_base_loop(test.web.pool.core.base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(test_returns_received(&test), (size_t)(1 - _i));
	close(client);
	test_returns_done(&test);
}
END_TEST

START_TEST(what_a_dead_worker_touched_is_closed)
{
	int client, worker, served;

	test_returns_init(&test);
	served = test_returns_connection(&test, &client);
	ck_assert_int_eq(send(served, "x", 1, 0), 1);
	put(_i == 0 ? RETURNED_SENT : RETURNED_DEAD, served,
	    _i == 0 ? receipt_conn(&worker) : -1);
	if (_i == 0)
		close(worker);
	returns_start(&test.returns);
	await_end(client);
	ck_assert_uint_eq(test_returns_received(&test), 0);
	ck_assert_uint_eq(test.web.listener->stats->returned_sent, 0);
	close(client);
	test_returns_done(&test);
}
END_TEST

START_TEST(a_connection_that_kills_engines_is_given_up)
{
	struct returned returned = message(RETURNED_HELD);
	int client;

	test_returns_init(&test);
	returned.returns = 32;
	put_message(returned, test_returns_connection(&test, &client), -1);
	returns_start(&test.returns);
	await_end(client);
	ck_assert_uint_eq(test.web.listener->stats->refused_deaths, 1);
	close(client);
	test_returns_done(&test);
}
END_TEST

UNIT_SUITE(returns)
{
	TCase *tc = unit_case(suite, "returns");

	tcase_add_test(tc, what_no_worker_had_is_sent_to_one);
	tcase_add_test(tc, what_was_not_noted_is_counted_here);
	tcase_add_test(tc, what_another_keeper_returned_is_read_too);
	tcase_add_loop_test(tc, a_message_that_is_wrong_ends_its_socket, 0,
	    (int)UNIT_COUNT(junk));
	tcase_add_loop_test(
	    tc, what_is_no_connection_of_a_listener_is_closed, 0, 6);
	tcase_add_test(tc, a_flood_does_not_hold_up_the_start);
	tcase_add_test(tc, what_a_worker_touches_is_its_own);
	tcase_add_loop_test(
	    tc, what_a_dead_worker_has_not_touched_goes_to_another, 0, 2);
	tcase_add_loop_test(tc, what_a_dead_worker_touched_is_closed, 0, 2);
	tcase_add_test(tc, a_connection_that_kills_engines_is_given_up);
}
