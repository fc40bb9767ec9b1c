/* SPDX-License-Identifier: ISC */
/*
 * Accepting: how many at a time, and what happens when it fails.
 */
#include "fixture/net.h"
#include "fixture/test_listener.h"
#include "fixture/unit.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <poll.h>
#include <unistd.h>

START_TEST(connections_go_to_a_worker)
{
	struct test_listener test;

	test_listener_init(&test, 1, 0);
	test_listener_connect(&test, 3);
	test_listener_settle(&test, LISTENER_STOPPED);
	ck_assert(net_polls(test.port, POLLIN));
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 3);
	ck_assert_uint_eq(test.listener->stats->accepted, 3);
	ck_assert_uint_eq(test.pool.core.load.count.accepted, 3);
	ck_assert_uint_eq(test.pool.core.load.count.rounds, 1);
	ck_assert_int_eq(test.pool.core.load.more, 0);
	test_listener_done(&test);
}
END_TEST

/* While connections come alone, none of them waits, so nobody looks. */
START_TEST(a_reset_is_looked_for_if_a_connection_may_have_waited)
{
	struct test_listener test;

	test_listener_init(&test, 1, 0);
	listener_start(test.listener);
	for (int reset = 0; reset <= 1; reset++) {
		test_listener_connect(&test, 1);
		if (reset)
			net_reset(test.clients[--test.client_count]);
		test_listener_settle(&test, LISTENER_OPEN);
		ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	}
	ck_assert_uint_eq(test.listener->stats->dead, 0);
	listener_set_paused(test.listener, 1);
	test_listener_connect(&test, 1);
	net_reset(test.clients[--test.client_count]);
	test_listener_connect(&test, 1); /* the reset comes before it */
	listener_set_paused(test.listener, 0);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	ck_assert_uint_eq(test.listener->stats->dead, 1);
	test_listener_done(&test);
}
END_TEST

/* Other events have their turn. */
START_TEST(one_event_accepts_a_limited_number)
{
	struct test_listener test;

	test_listener_init(&test, 1, 0);
	test_pool_worker(&test.pool, 0)->window.size = 100;
	test.endpoint->record->window = 100;
	test_listener_connect(&test, 64);
	listener_start(test.listener);
	test.endpoint->on_readable(test.listener, test.endpoint);
	ck_assert_uint_eq(test_listener_received(&test, 0), 4 + 8 + 16 + 32);
	ck_assert_int_eq(test.pool.core.load.more, 1);
	test.pool.core.load.more = 0;
	test.endpoint->on_readable(test.listener, test.endpoint);
	ck_assert_uint_eq(test_listener_received(&test, 0), 4);
	ck_assert_int_eq(test.pool.core.load.more, 0);
	ck_assert_uint_eq(test.pool.core.load.count.rounds, 2);
	test_listener_done(&test);
}
END_TEST

START_TEST(without_descriptors_it_rests)
{
	struct test_listener test;
	int first;

	test_listener_init(&test, 1, 0);
	first = test.pool.core.reserve.first;
	test.pool.core.reserve.first = test.pool.core.reserve.last = 3;
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_RESTING);
	test_listener_await_log(
	    &test, "Too many open files: trying again in 100 ms");
	ck_assert_uint_eq(test.listener->stats->accept_paused, 1);
	ck_assert(timer_is_set(&test.listener->timer));
	ck_assert_uint_eq(test_listener_received(&test, 0), 0);
	test.pool.core.reserve.first = first;
	test.listener->timer.on_time(test.listener);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	ck_assert_int_gt(test.pool.core.reserve.last, 2);
	test_listener_done(&test);
}
END_TEST

START_TEST(a_socket_that_cannot_accept_is_tried_rarely)
{
	struct test_listener test;
	int fd;

	test_listener_init(&test, 1, 0);
	listener_start(test.listener);
	fd = test.endpoint->fd;
	test.endpoint->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	test.endpoint->on_readable(test.listener, test.endpoint);
	ck_assert_int_eq(test.listener->state, LISTENER_RESTING);
	test_listener_await_log(&test, "trying again in 1000 ms");
	close(test.endpoint->fd);
	test.endpoint->fd = fd;
	test_listener_done(&test);
}
END_TEST

/* While closes are limited, signals interrupt poll(2). */
START_TEST(no_signal_hides_that_a_connection_waits)
{
	struct test_listener test;

	test_listener_init(&test, 0, 0);
	test_listener_connect(&test, 1);
	fd_limit_close(200);
	for (int i = 0; i < 20000; i++)
		ck_assert(listener_endpoint_is_waited_for(test.endpoint));
	fd_limit_close(0);
	test_listener_done(&test);
}
END_TEST

UNIT_SUITE(accept)
{
	TCase *tc = unit_case(suite, "accept");

	tcase_add_test(tc, connections_go_to_a_worker);
	tcase_add_test(
	    tc, a_reset_is_looked_for_if_a_connection_may_have_waited);
	tcase_add_test(tc, one_event_accepts_a_limited_number);
	tcase_add_test(tc, without_descriptors_it_rests);
	tcase_add_test(tc, a_socket_that_cannot_accept_is_tried_rarely);
	tcase_add_test(tc, no_signal_hides_that_a_connection_waits);
}
