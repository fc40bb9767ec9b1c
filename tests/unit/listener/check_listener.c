/* SPDX-License-Identifier: ISC */
/*
 * Listeners: their names, when they accept, and how long connections wait.
 */
#include "fixture/net.h"
#include "fixture/test_listener.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "base/fd.h"
#include "channel/channel.h"
#include "engine/listener/listener_list.h"

#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

START_TEST(connections_wait_in_the_kernel_until_a_worker_comes)
{
	struct test_listener test;

	test_listener_init(&test, 0, 0);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	ck_assert_str_eq(listener_state_name(test.listener), "waiting");
	ck_assert_uint_eq(test.listener->absence.since_ms, 0);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_ne(test.listener->absence.since_ms, 0);
	test_listener_await_log(&test, "no worker at");
	ck_assert_int_eq(test.pool.pool->finder.waiting, 1);
	ck_assert(net_polls(test.port, POLLIN));
	test.listener->absence.since_ms -= 1000000; /* there is no limit */
	test.listener->timer.on_time(test.listener);
	ck_assert_int_eq(test.listener->state, LISTENER_WAITING);
	ck_assert(timer_is_set(&test.listener->timer));
	test_pool_open(&test.pool, 0);
	test_listener_settle(
	    &test, LISTENER_WAITING); /* a new worker gets only one */
	test_listener_await_log(&test, "a worker is there after 100");
	ck_assert_int_eq(test.pool.pool->finder.waiting, 0);
	ck_assert(!timer_is_set(&test.listener->timer));
	ck_assert_uint_eq(test.listener->absence.since_ms, 0);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	test_listener_done(&test);
}
END_TEST

/* It tries again when a worker has room, not by time. */
START_TEST(connections_wait_for_room_without_a_limit)
{
	struct test_listener test;

	test_listener_init(&test, 1, 1);
	test_pool_worker(&test.pool, 0)->window.size = 1;
	test_listener_connect(&test, 2);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_eq(test.listener->absence.since_ms, 0);
	ck_assert(!timer_is_set(&test.listener->timer));
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	wire_raw_send_receipt(test.pool.receipt_conns[0],
	    test.pool.core.workers.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	test_listener_done(&test);
}
END_TEST

/* What a worker had and the kernel's queue wait for the same time. */
START_TEST(after_give_up_connections_are_refused_until_a_worker_comes)
{
	struct test_listener test;

	test_listener_init(&test, 0, 5);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	test.listener->absence.since_ms -= 4000;
	test.listener->timer.on_time(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	test.listener->absence.since_ms -= 1000;
	test.listener->timer.on_time(test.listener);
	test_listener_settle(&test, LISTENER_REFUSING);
	test_listener_await_log(&test, "refused a connection");
	ck_assert_uint_eq(test.listener->stats->refused_absent, 1);
	ck_assert_uint_eq(test.listener->stats->accepted, 1);
	ck_assert(net_polls(test.clients[0], POLLRDHUP));
	test_pool_open(&test.pool, 0);
	test_listener_settle(&test, LISTENER_OPEN);
	test_listener_connect(&test, 1);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	test_listener_done(&test);
}
END_TEST

/* If the last one stays away, that is told later. */
START_TEST(of_workers_that_come_and_go_some_are_told)
{
	struct test_listener test;
	struct limited_log *limit;

	test_listener_init(&test, 0, 0);
	limit = &test.listener->absence.limit;
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	test_listener_await_log(&test, "no worker at");
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(limit->suppressed, i);
		limit->next_ms = UINT64_MAX;
		test_pool_open(&test.pool, 0);
		while (test_listener_received(&test, 0) == 0)
			test_pool_settle(&test.pool);
		ck_assert_uint_eq(test.listener->absence.since_ms, 0);
		test_pool_close(&test.pool, 0);
		ck_assert_int_eq(unlink(test_pool_path(0)), 0);
		test_listener_connect(&test, 1);
		while (test.listener->absence.since_ms == 0)
			ck_assert_int_eq(
			    event_base_loop(test.pool.core.base, EVLOOP_ONCE),
			    0);
	}
	test_listener_await_log(&test, "a worker is there after");
	ck_assert(!net_polls(test.log, POLLIN));
	ck_assert(!test.listener->absence.told);
	limit->next_ms = 0;
	test.listener->timer.on_time(test.listener);
	test_listener_await_log(
	    &test, "connections wait (2 more since the last line)\n");
	ck_assert(test.listener->absence.told);
	test_listener_done(&test);
}
END_TEST

START_TEST(what_came_back_waits_and_is_refused_as_well)
{
	struct test_listener test;

	test_listener_init(&test, 1, 5);
	listener_start(test.listener);
	test_listener_connect(&test, 1);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	test_pool_close(&test.pool, 0);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_eq(test.listener->stats->held, 1);
	ck_assert_int_eq(listener_set_paused(test.listener, 1), 0);
	ck_assert_int_eq(test.pool.pool->finder.waiting, 1);
	ck_assert_int_eq(listener_set_paused(test.listener, 0), 0);
	test_listener_settle(&test, LISTENER_OPEN);
	test.pool.pool->wake.on_time(test.pool.pool);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert(!net_polls(test.clients[0], POLLRDHUP));
	test.listener->absence.since_ms -= 5000;
	test.listener->timer.on_time(test.listener);
	ck_assert_int_eq(test.listener->state, LISTENER_REFUSING);
	ck_assert_uint_eq(test.listener->stats->refused_absent, 1);
	ck_assert(net_polls(test.clients[0], POLLRDHUP));
	test_listener_done(&test);
}
END_TEST

START_TEST(those_who_are_refused_without_end_wait)
{
	struct test_listener test;
	struct effort *effort;

	test_listener_init(&test, 0, 1);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	test.listener->absence.since_ms -= 1000;
	test.listener->timer.on_time(test.listener);
	effort = effort_for(
	    &test.pool.core.quotas.efforts, test.pool.pool->finder.uid);
	effort->until_us = clock_us() + UINT64_C(3600000000);
	test_listener_settle(&test, LISTENER_REFUSING);
	ck_assert_uint_eq(test.listener->stats->refused_absent, 0);
	ck_assert(!net_polls(test.clients[0], POLLRDHUP));
	effort->until_us = 0;
	test.listener->timer.on_time(test.listener);
	test_listener_settle(&test, LISTENER_REFUSING);
	ck_assert_uint_eq(test.listener->stats->refused_absent, 1);
	ck_assert(net_polls(test.clients[0], POLLRDHUP));
	test_listener_done(&test);
}
END_TEST

/* Where the directory cannot be watched. */
START_TEST(while_it_refuses_each_connection_looks_for_a_worker)
{
	struct test_listener test;

	test_listener_init(&test, 0, 1);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	test.listener->absence.since_ms -= 1000;
	test.listener->timer.on_time(test.listener);
	test_listener_settle(&test, LISTENER_REFUSING);
	test.pool.pool->finder.watcher.id = -1;
	test_pool_open(&test.pool, 0);
	test_listener_connect(&test, 1);
	test.endpoint->on_readable(test.listener, test.endpoint);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test.listener->stats->refused_absent, 1);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	test_listener_done(&test);
}
END_TEST

START_TEST(a_paused_listener_lets_connections_wait)
{
	struct test_listener test;

	test_listener_init(&test, 0, 1);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_int_eq(listener_set_paused(test.listener, 1), 0);
	ck_assert_uint_eq(test.listener->absence.since_ms, 0);
	ck_assert(!timer_is_set(&test.listener->timer));
	test_pool_open(&test.pool, 0);
	test_listener_settle(&test, LISTENER_PAUSED);
	ck_assert(net_polls(test.port, POLLIN));
	listener_start(test.listener); /* as the next engine does */
	test_listener_settle(&test, LISTENER_PAUSED);
	ck_assert_int_eq(listener_set_paused(test.listener, 0), 0);
	ck_assert_int_eq(test.listener->state, LISTENER_OPEN);
	test_pool_settle(&test.pool);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	test_listener_done(&test);
}
END_TEST

/* Another process of the engine's user may write them. */
START_TEST(a_listener_keeps_its_name_whatever_is_in_the_counters)
{
	struct test_listener test;
	struct listener_list list = TAILQ_HEAD_INITIALIZER(list);

	test_listener_init(&test, 0, 0);
	TAILQ_INSERT_TAIL(&list, test.listener, entry);
	memset(test.listener->stats->name, 'y',
	    sizeof(test.listener->stats->name));
	ck_assert_ptr_eq(listener_list_find(&list, "web"), test.listener);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_await_log(&test, "listener web: no worker");
	test_listener_done(&test);
}
END_TEST

/* The worker's mailbox stays, so nothing is found. */
START_TEST(a_worker_that_says_hello_again_is_heard_of)
{
	struct test_listener test;
	struct fdrecv_wire_hello hello;

	test_listener_init(&test, 1, 0);
	listener_start(test.listener);
	hello = wire_raw_hello(test_pool_path(0), 4711);
	test.pool.receipt_conns[0] = fd_close(test.pool.receipt_conns[0]);
	test_pool_settle(&test.pool);
	test_listener_connect(&test, 1);
	test_listener_settle(&test, LISTENER_WAITING);
	test.pool.pool->wake.on_time(test.pool.pool);
	test_listener_settle(&test, LISTENER_WAITING);
	test.pool.receipt_conns[0] = test_pool_connect();
	wire_raw_send_hello(
	    test.pool.receipt_conns[0], &hello, test_pool_path(0));
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	test_listener_done(&test);
}
END_TEST

/* Another engine takes over, without this socket. */
START_TEST(a_paused_listener_that_is_removed_serves_what_waits)
{
	struct test_listener test;
	struct channel_drain drain = {.removed = {1}};

	test_listener_init(&test, 1, 0);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	ck_assert_int_eq(listener_set_paused(test.listener, 1), 0);
	test_listener_settle(&test, LISTENER_PAUSED);
	listener_stop(test.listener, &drain);
	ck_assert(listener_is_served(test.listener));
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 1);
	ck_assert(!listener_is_served(test.listener));
	ck_assert_int_eq(test.listener->state, LISTENER_STOPPED);
	test_listener_done(&test);
}
END_TEST

START_TEST(the_last_wait_ends_with_give_up)
{
	struct test_listener test;
	struct timeval end, now;

	test_listener_init(&test, 0, 5);
	test_listener_connect(&test, 1);
	listener_start(test.listener);
	test_listener_settle(&test, LISTENER_WAITING);
	test.listener->absence.since_ms -= 4500;
	test.listener->timer.on_time(test.listener);
	ck_assert(evtimer_pending(test.listener->timer.event, &end));
	evutil_gettimeofday(&now, NULL);
	evutil_timersub(&end, &now, &end);
	ck_assert_int_le(end.tv_sec * 1000 + end.tv_usec / 1000, 700);
	test_listener_done(&test);
}
END_TEST

UNIT_SUITE(listener)
{
	TCase *tc = unit_case(suite, "listener");

	tcase_add_test(tc, connections_wait_in_the_kernel_until_a_worker_comes);
	tcase_add_test(tc, connections_wait_for_room_without_a_limit);
	tcase_add_test(
	    tc, after_give_up_connections_are_refused_until_a_worker_comes);
	tcase_add_test(tc, of_workers_that_come_and_go_some_are_told);
	tcase_add_test(tc, what_came_back_waits_and_is_refused_as_well);
	tcase_add_test(tc, those_who_are_refused_without_end_wait);
	tcase_add_test(tc, while_it_refuses_each_connection_looks_for_a_worker);
	tcase_add_test(tc, a_paused_listener_lets_connections_wait);
	tcase_add_test(
	    tc, a_listener_keeps_its_name_whatever_is_in_the_counters);
	tcase_add_test(tc, a_worker_that_says_hello_again_is_heard_of);
	tcase_add_test(tc, a_paused_listener_that_is_removed_serves_what_waits);
	tcase_add_test(tc, the_last_wait_ends_with_give_up);
}
