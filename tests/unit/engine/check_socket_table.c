/* SPDX-License-Identifier: ISC */
/*
 * The table of sockets: its numbers, its listeners and pools, and its drain:
 * workers get all accepted connections, connections that no other engine takes
 * over are served first, and there is a time limit.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/life/drain.h"
#include "engine/socket_table.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENDPOINTS 3
#define LONG_MS 60000

static struct setup {
	struct test_pool test;
	struct socket_table table;
	struct listener *listener;
	struct drain drain;
	int ended;
	int sockets[ENDPOINTS]; /* held by the monitor */
	struct record_endpoint records[ENDPOINTS];
} setup;

static void
on_start(void *owner, const struct channel_drain *how)
{
	socket_table_stop(owner, how);
}

static int
is_busy(void *owner)
{
	return socket_table_is_busy(owner);
}

static void
on_timeout(void *owner)
{
	socket_table_give_up(owner);
}

static void
on_end(void *owner)
{
	(void)owner;
	setup.ended = 1;
}

static const struct drain_callbacks callbacks = {
    .on_start = on_start,
    .is_busy = is_busy,
    .on_timeout = on_timeout,
    .on_end = on_end,
};

/* A listener with endpoints 0 to 2; endpoint 2 is lent. */
static void
init(unsigned int workers)
{
	struct test_core *core = &setup.test.core;
	int fd;

	test_pool_init_receipted(&setup.test, workers);
	socket_table_init(&setup.table);
	ck_assert_int_eq(socket_table_open(&setup.table, core->base, &core->log,
			     &core->stats, core->persistent, &core->bounded,
			     &setup.test.rendezvous),
	    0);
	TAILQ_CONCAT(&setup.table.pools, &setup.test.pools, entry);
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		setup.records[i] =
		    record_sample_inet(RECORD_TCP, "127.0.0.1", 80).u.endpoint;
		snprintf(setup.records[i].mailbox,
		    sizeof(setup.records[i].mailbox), "%s",
		    setup.test.pool->finder.path);
		if (i == 2)
			setup.records[i].handoff = RECORD_LISTENER;
		setup.sockets[i] = net_listen(AF_INET);
		fd = fcntl(setup.sockets[i], F_DUPFD_CLOEXEC, 0);
		ck_assert_int_eq(socket_table_note(&setup.table, i, fd), 0);
		ck_assert_int_eq(
		    socket_table_add(&setup.table, &setup.records[i], fd, 0),
		    0);
	}
	setup.listener = TAILQ_FIRST(&setup.table.listeners);
	ck_assert_int_eq(
	    drain_init(&setup.drain, core->base, &callbacks, &setup.table), 0);
}

static void
done(void)
{
	drain_done(&setup.drain);
	socket_table_done(&setup.table);
	setup.test.pool = NULL;
	test_pool_done(&setup.test);
	for (int i = 0; i < ENDPOINTS; i++)
		close(setup.sockets[i]);
}

/* Starts to drain; the bits are of the endpoints that no other engine takes
 * over. */
static void
drain(unsigned char removed, uint32_t timeout_ms)
{
	struct channel_drain how = {.timeout_ms = timeout_ms};

	how.removed[0] = removed;
	drain_start(&setup.drain, &how);
}

static void
await_end(void)
{
	while (!setup.ended)
		ck_assert_int_eq(
		    event_base_loop(setup.test.core.base, EVLOOP_ONCE), 0);
}

/* The engine has closed its descriptor. */
static int
is_closed(uint32_t number)
{
	struct listener_endpoint *endpoint;

	TAILQ_FOREACH (endpoint, &setup.listener->endpoints, entry)
		if (endpoint->number == number)
			return endpoint->fd == -1 && endpoint->readable == NULL;
	ck_abort_msg("no endpoint %u", number);
	return 0;
}

START_TEST(a_table_without_connections_ends_at_once)
{
	init(1);
	socket_table_start(&setup.table);
	drain(_i == 0 ? 0 : 7, LONG_MS);
	ck_assert(setup.ended);
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		ck_assert(is_closed(i));
	done();
}
END_TEST

START_TEST(waiting_connections_are_served_where_nobody_takes_over)
{
	static struct wire_raw raw;
	int clients[2], lent;

	init(1);
	for (int i = 0; i < 2; i++)
		clients[i] = net_connect(setup.sockets[i]);
	socket_table_start(&setup.table);
	drain(2 | 4, LONG_MS);
	ck_assert(!setup.ended);
	ck_assert(is_closed(0) && !is_closed(1));
	ck_assert(is_closed(2)); /* lent: its workers hold it */
	do {                     /* the lent socket may have come first */
		test_pool_await(&setup.test, setup.test.mailboxes[0], POLLIN);
		wire_raw_take(&raw, setup.test.mailboxes[0]);
		ck_assert_uint_eq(raw.count, 1);
		lent = net_is_same(raw.fds[0], setup.sockets[2]);
		wire_raw_close(&raw);
	} while (lent);
	ck_assert(!setup.ended); /* no receipt yet */
	wire_raw_send_receipt(setup.test.receipt_conns[0],
	    setup.test.core.workers.epoch, FDRECV_WIRE_TAKEN,
	    raw.header.sequence, 1);
	await_end();
	ck_assert(is_closed(1));
	ck_assert(
	    net_polls(setup.sockets[0], POLLIN)); /* for the next engine */
	ck_assert(!net_polls(setup.sockets[1], POLLIN));
	close(clients[0]);
	close(clients[1]);
	done();
}
END_TEST

START_TEST(at_the_last_moment_waiting_connections_are_left)
{
	int client;

	init(0);
	client = net_connect(setup.sockets[1]);
	socket_table_start(&setup.table);
	drain(2, 50);
	ck_assert(!setup.ended);
	await_end();
	ck_assert(is_closed(1));
	ck_assert(net_polls(setup.sockets[1], POLLIN));
	close(client);
	done();
}
END_TEST

/* It was accepted, but its worker died and there is no other one. */
START_TEST(at_the_last_moment_held_connections_are_refused)
{
	int client;

	init(1);
	socket_table_start(&setup.table);
	client = net_connect(setup.sockets[0]);
	while (setup.listener->stats->accepted == 0)
		ck_assert_int_eq(
		    event_base_loop(setup.test.core.base, EVLOOP_ONCE), 0);
	test_pool_settle(&setup.test);
	test_pool_close(&setup.test, 0);
	test_pool_settle(&setup.test);
	drain(0, 50);
	ck_assert(!setup.ended);
	ck_assert_uint_eq(setup.listener->stats->refused_drain, 0);
	await_end();
	ck_assert_uint_eq(setup.listener->stats->refused_drain, 1);
	ck_assert(net_polls(client, POLLIN)); /* its end */
	close(client);
	done();
}
END_TEST

/* The first listener is busy, and the second closes its socket all the same. */
START_TEST(a_listener_that_is_done_is_closed_while_others_are_busy)
{
	struct record_endpoint record;
	struct listener *other;
	int client, fd;

	init(0);
	record = setup.records[0];
	snprintf(record.listener, sizeof(record.listener), "other");
	fd = fcntl(setup.sockets[0], F_DUPFD_CLOEXEC, 0);
	ck_assert_int_eq(socket_table_note(&setup.table, ENDPOINTS, fd), 0);
	ck_assert_int_eq(socket_table_add(&setup.table, &record, fd, 0), 0);
	other = TAILQ_LAST(&setup.table.listeners, listener_list);
	client = net_connect(setup.sockets[1]);
	socket_table_start(&setup.table);
	drain(2 | 1 << ENDPOINTS, LONG_MS);
	ck_assert(!setup.ended);
	ck_assert(!is_closed(1));
	ck_assert_int_eq(TAILQ_FIRST(&other->endpoints)->fd, -1);
	close(client);
	done();
}
END_TEST

START_TEST(a_refusal_that_is_being_sent_is_waited_for)
{
	init(0);
	setup.table.refusals.count = 1;
	drain(0, LONG_MS);
	ck_assert(!setup.ended);
	setup.table.refusals.count = 0;
	await_end();
	done();
}
END_TEST

/* Its hand-offs refer to endpoints, which are freed later. */
START_TEST(connections_in_the_engine_are_closed_with_the_table)
{
	int client;

	mallopt(M_PERTURB, 0x5a); /* memory that was freed is overwritten */
	init(1);
	socket_table_start(&setup.table);
	client = net_connect(setup.sockets[0]);
	while (setup.listener->stats->accepted == 0)
		ck_assert_int_eq(
		    event_base_loop(setup.test.core.base, EVLOOP_ONCE), 0);
	if (_i == 1) {
		test_pool_close(&setup.test, 0);
		while (TAILQ_EMPTY(&setup.test.pool->held))
			ck_assert_int_eq(
			    event_base_loop(setup.test.core.base, EVLOOP_ONCE),
			    0);
	}
	done();
	ck_assert(net_polls(client, POLLRDHUP));
	close(client);
}
END_TEST

START_TEST(each_number_is_that_of_a_socket)
{
	int fd;

	init(0);
	fd = setup.sockets[0];
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    socket_table_note(&setup.table, ENDPOINTS - 1 + 2 * i, fd),
		    -1);
		ck_assert_int_eq(errno, EPROTO);
	}
	ck_assert_uint_eq(setup.table.count, ENDPOINTS);
	done();
}
END_TEST

/* Endpoints with the same name make a listener, those with the same mailbox
 * path share a pool. */
START_TEST(sockets_of_a_name_are_one_listener)
{
	struct record_endpoint record;
	struct listener *other;
	int fd;

	init(0);
	ck_assert_ptr_null(TAILQ_NEXT(setup.listener, entry));
	record = setup.records[0];
	snprintf(record.listener, sizeof(record.listener), "other");
	fd = fcntl(setup.sockets[0], F_DUPFD_CLOEXEC, 0);
	ck_assert_int_eq(socket_table_note(&setup.table, ENDPOINTS, fd), 0);
	ck_assert_int_eq(socket_table_add(&setup.table, &record, fd, 0), 0);
	other = TAILQ_NEXT(setup.listener, entry);
	ck_assert_ptr_nonnull(other);
	ck_assert_ptr_eq(other->pool, setup.listener->pool);
	ck_assert_uint_eq(TAILQ_FIRST(&other->endpoints)->number, ENDPOINTS);
	done();
}
END_TEST

START_TEST(a_worker_is_found_in_any_pool)
{
	struct worker *worker;
	struct hello hello = {0};
	struct pool *other;

	init(2);
	worker = test_pool_worker(&setup.test, 1);
	hello.inode = worker->mailbox.inode;
	hello.device = worker->mailbox.device;
	memcpy(hello.name, worker->name, sizeof(hello.name));
	other = pool_find(&setup.table.pools, &setup.test.core.pools,
	    "/nowhere/else", geteuid());
	ck_assert_ptr_nonnull(other);
	TAILQ_REMOVE(&setup.table.pools, setup.test.pool, entry);
	TAILQ_INSERT_TAIL(&setup.table.pools, setup.test.pool, entry);
	ck_assert_ptr_eq(
	    socket_table_find_worker(&setup.table, &hello, geteuid()), worker);
	ck_assert_ptr_null(
	    socket_table_find_worker(&setup.table, &hello, geteuid() + 1));
	TAILQ_REMOVE(&setup.table.pools, other, entry);
	pool_free(other);
	done();
}
END_TEST

UNIT_SUITE(socket_table)
{
	TCase *tc = unit_case(suite, "drain");

	tcase_add_loop_test(tc, a_table_without_connections_ends_at_once, 0, 2);
	tcase_add_test(
	    tc, waiting_connections_are_served_where_nobody_takes_over);
	tcase_add_test(tc, at_the_last_moment_waiting_connections_are_left);
	tcase_add_test(tc, at_the_last_moment_held_connections_are_refused);
	tcase_add_test(
	    tc, a_listener_that_is_done_is_closed_while_others_are_busy);
	tcase_add_test(tc, a_refusal_that_is_being_sent_is_waited_for);
	tc = unit_case(suite, "table");
	tcase_add_loop_test(
	    tc, connections_in_the_engine_are_closed_with_the_table, 0, 2);
	tcase_add_test(tc, each_number_is_that_of_a_socket);
	tcase_add_test(tc, sockets_of_a_name_are_one_listener);
	tcase_add_test(tc, a_worker_is_found_in_any_pool);
}
