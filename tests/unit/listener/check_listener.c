/* SPDX-License-Identifier: ISC */
/*
 * Listeners: their names, when they accept, and how long connections wait.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/listener/listener.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_pool test;
static struct listener *listener;
static int port; /* of the listener's only socket, as a client sees it */
static struct listener_endpoint *endpoint;
static int clients[64];
static unsigned int client_count;
static int log_end;

/* A listener "web" with one TCP socket. */
static void
open_listener(unsigned int workers, uint32_t give_up_s)
{
	struct record_endpoint record;
	int log[2];

	test_pool_init_receipted(&test, workers);
	unsetenv("JOURNAL_STREAM");
	ck_assert_int_eq(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	log_init(&test.core.log, "engine", log[1]);
	log_end = log[0];
	port = net_listen(AF_INET);
	record = record_sample_inet(RECORD_TCP, "127.0.0.1", net_port(port))
		     .u.endpoint;
	snprintf(record.listener, sizeof(record.listener), "web");
	record.give_up_s = give_up_s;
	listener = listener_new(&test.core.listeners, test.pool, "web");
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(fcntl(port, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(
	    listener_add(listener, &record, 0, fcntl(port, F_DUPFD_CLOEXEC, 0)),
	    0);
	endpoint = TAILQ_FIRST(&listener->endpoints);
	ck_assert_ptr_nonnull(endpoint);
}

static void
close_listener(void)
{
	pool_clear(test.pool);
	listener_free(listener);
	while (client_count > 0)
		close(clients[--client_count]);
	close(port);
	close(log_end);
	close(test.core.log.fd);
	test_pool_done(&test);
}

/* Runs the loop until the log has a line with that text. */
static void
await_log(const char *text)
{
	char line[2048];
	ssize_t size;

	do {
		while (!net_polls(log_end, POLLIN))
			ck_assert_int_eq(
			    event_base_loop(test.core.base, EVLOOP_ONCE), 0);
		size = read(log_end, line, sizeof(line) - 1);
		ck_assert_int_gt(size, 0);
		line[size] = '\0';
	} while (strstr(line, text) == NULL);
}

static void
connect_clients(unsigned int count)
{
	while (count-- > 0)
		clients[client_count++] = net_connect(port);
	ck_assert(net_polls(port, POLLIN));
}

/* Handles all events that are there, and expects a state. */
static void
settle(enum listener_state state)
{
	test_pool_settle(&test);
	ck_assert_int_eq(listener->state, state);
}

/* How many connections a worker has received since the last call. */
static size_t
received(unsigned int which)
{
	static struct wire_raw raw;
	size_t count = 0;

	for (;;) {
		wire_raw_take(&raw, test.mailboxes[which]);
		if (raw.size == -1)
			return count;
		count += raw.count;
		wire_raw_close(&raw);
	}
}

START_TEST(connections_go_to_a_worker)
{
	open_listener(1, 0);
	connect_clients(3);
	settle(LISTENER_STOPPED);
	ck_assert(net_polls(port, POLLIN));
	listener_start(listener);
	settle(LISTENER_OPEN);
	ck_assert_uint_eq(received(0), 3);
	ck_assert_uint_eq(listener->stats->accepted, 3);
	ck_assert_uint_eq(test.core.load.count.accepted, 3);
	ck_assert_uint_eq(test.core.load.count.rounds, 1);
	ck_assert_int_eq(test.core.load.more, 0);
	close_listener();
}
END_TEST

/* Other events have their turn. */
START_TEST(one_event_accepts_a_limited_number)
{
	open_listener(1, 0);
	test_pool_worker(&test, 0)->window.size = 100;
	endpoint->record.window = 100;
	connect_clients(40);
	listener_start(listener);
	endpoint->on_readable(listener, endpoint);
	ck_assert_uint_eq(received(0), 32);
	ck_assert_int_eq(test.core.load.more, 1);
	test.core.load.more = 0;
	endpoint->on_readable(listener, endpoint);
	ck_assert_uint_eq(received(0), 8);
	ck_assert_int_eq(test.core.load.more, 0);
	ck_assert_uint_eq(test.core.load.count.rounds, 2);
	close_listener();
}
END_TEST

START_TEST(connections_wait_in_the_kernel_until_a_worker_comes)
{
	open_listener(0, 0);
	connect_clients(1);
	listener_start(listener);
	ck_assert_str_eq(listener_state_name(listener), "waiting");
	ck_assert_uint_eq(listener->absent_since_ms, 0);
	settle(LISTENER_WAITING);
	ck_assert_uint_ne(listener->absent_since_ms, 0);
	await_log("no worker at");
	ck_assert_int_eq(test.pool->finder.waiting, 1);
	ck_assert(net_polls(port, POLLIN));
	listener->absent_since_ms -= 1000000; /* there is no limit */
	listener->timer.on_time(listener);
	ck_assert_int_eq(listener->state, LISTENER_WAITING);
	ck_assert(timer_is_set(&listener->timer));
	test_pool_open(&test, 0);
	settle(LISTENER_WAITING); /* a new worker gets only one */
	await_log("a worker is there after 100");
	ck_assert_int_eq(test.pool->finder.waiting, 0);
	ck_assert(!timer_is_set(&listener->timer));
	ck_assert_uint_eq(listener->absent_since_ms, 0);
	ck_assert_uint_eq(received(0), 1);
	close_listener();
}
END_TEST

/* It tries again when a worker has room, not by time. */
START_TEST(connections_wait_for_room_without_a_limit)
{
	open_listener(1, 1);
	test_pool_worker(&test, 0)->window.size = 1;
	connect_clients(2);
	listener_start(listener);
	settle(LISTENER_WAITING);
	ck_assert_uint_eq(listener->absent_since_ms, 0);
	ck_assert(!timer_is_set(&listener->timer));
	ck_assert_uint_eq(received(0), 1);
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 1);
	settle(LISTENER_OPEN);
	ck_assert_uint_eq(received(0), 1);
	close_listener();
}
END_TEST

/* What a worker had and the kernel's queue wait for the same time. */
START_TEST(after_give_up_connections_are_refused_until_a_worker_comes)
{
	open_listener(0, 5);
	connect_clients(1);
	listener_start(listener);
	settle(LISTENER_WAITING);
	listener->absent_since_ms -= 4000;
	listener->timer.on_time(listener);
	settle(LISTENER_WAITING);
	listener->absent_since_ms -= 1000;
	listener->timer.on_time(listener);
	settle(LISTENER_REFUSING);
	await_log("refused a connection");
	ck_assert_uint_eq(listener->stats->refused_absent, 1);
	ck_assert_uint_eq(listener->stats->accepted, 1);
	ck_assert(net_polls(clients[0], POLLRDHUP));
	test_pool_open(&test, 0);
	settle(LISTENER_OPEN);
	connect_clients(1);
	settle(LISTENER_OPEN);
	ck_assert_uint_eq(received(0), 1);
	close_listener();
}
END_TEST

START_TEST(what_came_back_waits_and_is_refused_as_well)
{
	open_listener(1, 5);
	listener_start(listener);
	connect_clients(1);
	settle(LISTENER_OPEN);
	ck_assert_uint_eq(received(0), 1);
	test_pool_close(&test, 0);
	settle(LISTENER_WAITING);
	ck_assert_uint_eq(listener->stats->held, 1);
	ck_assert(!net_polls(clients[0], POLLRDHUP));
	listener->absent_since_ms -= 5000;
	listener->timer.on_time(listener);
	ck_assert_int_eq(listener->state, LISTENER_REFUSING);
	ck_assert_uint_eq(listener->stats->refused_absent, 1);
	ck_assert(net_polls(clients[0], POLLRDHUP));
	close_listener();
}
END_TEST

/* Where the directory cannot be watched. */
START_TEST(while_it_refuses_each_connection_looks_for_a_worker)
{
	open_listener(0, 1);
	connect_clients(1);
	listener_start(listener);
	settle(LISTENER_WAITING);
	listener->absent_since_ms -= 1000;
	listener->timer.on_time(listener);
	settle(LISTENER_REFUSING);
	test.pool->finder.watcher.id = -1;
	test_pool_open(&test, 0);
	connect_clients(1);
	endpoint->on_readable(listener, endpoint);
	settle(LISTENER_OPEN);
	ck_assert_uint_eq(listener->stats->refused_absent, 1);
	ck_assert_uint_eq(received(0), 1);
	close_listener();
}
END_TEST

START_TEST(without_descriptors_it_rests)
{
	int first;

	open_listener(1, 0);
	first = test.core.reserve.first;
	test.core.reserve.first = test.core.reserve.last = 3;
	connect_clients(1);
	listener_start(listener);
	settle(LISTENER_RESTING);
	await_log("trying again in 100 ms");
	ck_assert_uint_eq(listener->stats->accept_paused, 1);
	ck_assert(timer_is_set(&listener->timer));
	ck_assert_uint_eq(received(0), 0);
	test.core.reserve.first = first;
	listener->timer.on_time(listener);
	settle(LISTENER_OPEN);
	ck_assert_uint_eq(received(0), 1);
	ck_assert_int_gt(test.core.reserve.last, 2);
	close_listener();
}
END_TEST

START_TEST(a_socket_that_cannot_accept_is_tried_rarely)
{
	int fd;

	open_listener(1, 0);
	listener_start(listener);
	fd = endpoint->fd;
	endpoint->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	endpoint->on_readable(listener, endpoint);
	ck_assert_int_eq(listener->state, LISTENER_RESTING);
	await_log("trying again in 1000 ms");
	close(endpoint->fd);
	endpoint->fd = fd;
	close_listener();
}
END_TEST

START_TEST(a_paused_listener_lets_connections_wait)
{
	open_listener(0, 1);
	connect_clients(1);
	listener_start(listener);
	settle(LISTENER_WAITING);
	ck_assert_int_eq(listener_set_paused(listener, 1), 0);
	ck_assert_uint_eq(listener->absent_since_ms, 0);
	ck_assert(!timer_is_set(&listener->timer));
	test_pool_open(&test, 0);
	settle(LISTENER_PAUSED);
	ck_assert(net_polls(port, POLLIN));
	listener_start(listener); /* as the next engine does */
	settle(LISTENER_PAUSED);
	ck_assert_int_eq(listener_set_paused(listener, 0), 0);
	ck_assert_int_eq(listener->state, LISTENER_OPEN);
	test_pool_settle(&test);
	ck_assert_uint_eq(received(0), 1);
	close_listener();
}
END_TEST

/* While closes are limited, signals interrupt poll(2). */
START_TEST(no_signal_hides_that_a_connection_waits)
{
	open_listener(0, 0);
	connect_clients(1);
	fd_limit_close(200);
	for (int i = 0; i < 20000; i++)
		ck_assert(listener_endpoint_is_waited_for(endpoint));
	fd_limit_close(0);
	close_listener();
}
END_TEST

/* The counters are shared with earlier engines, which may have written
 * anything. */
START_TEST(a_listener_keeps_its_name_whatever_is_in_the_counters)
{
	struct listener_list list = TAILQ_HEAD_INITIALIZER(list);

	open_listener(0, 0);
	TAILQ_INSERT_TAIL(&list, listener, entry);
	memset(listener->stats->name, 'y', sizeof(listener->stats->name));
	ck_assert_ptr_eq(listener_find(&list, "web"), listener);
	connect_clients(1);
	listener_start(listener);
	await_log("listener web: no worker");
	close_listener();
}
END_TEST

UNIT_SUITE(listener)
{
	TCase *tc = unit_case(suite, "listener");

	tcase_add_test(tc, connections_go_to_a_worker);
	tcase_add_test(tc, one_event_accepts_a_limited_number);
	tcase_add_test(tc, connections_wait_in_the_kernel_until_a_worker_comes);
	tcase_add_test(tc, connections_wait_for_room_without_a_limit);
	tcase_add_test(
	    tc, after_give_up_connections_are_refused_until_a_worker_comes);
	tcase_add_test(tc, what_came_back_waits_and_is_refused_as_well);
	tcase_add_test(tc, while_it_refuses_each_connection_looks_for_a_worker);
	tcase_add_test(tc, without_descriptors_it_rests);
	tcase_add_test(tc, a_socket_that_cannot_accept_is_tried_rarely);
	tcase_add_test(tc, a_paused_listener_lets_connections_wait);
	tcase_add_test(tc, no_signal_hides_that_a_connection_waits);
	tcase_add_test(
	    tc, a_listener_keeps_its_name_whatever_is_in_the_counters);
}
