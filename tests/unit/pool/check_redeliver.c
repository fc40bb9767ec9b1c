/* SPDX-License-Identifier: ISC */
/*
 * The connections of a dead worker: those that it cannot have touched go to
 * another one, but not without end.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/record_sample.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <unistd.h>

/* Sends count connections to worker 0, the only one, which has received
 * them. */
static void
init_sent(struct test_pool *test, size_t count)
{
	static struct wire_raw raw;

	test_pool_init_receipted(test, 1);
	ck_assert_uint_eq(test_pool_put(test, count), count);
	dispatch_send(test->pool);
	wire_raw_take(&raw, test->mailboxes[0]);
	ck_assert_uint_eq(raw.count, count);
	wire_raw_close(&raw);
}

/* The process of worker which exits. */
static void
die(struct test_pool *test, unsigned int which)
{
	test_pool_close(test, which);
	test_pool_settle(test);
}

START_TEST(what_was_not_touched_goes_to_another_in_order)
{
	struct test_pool test;

	init_sent(&test, 3);
	test_pool_open(&test, 1);
	test_pool_settle(&test);
	test_pool_hello(&test, 1, FDRECV_WIRE_WEIGHT);
	die(&test, 0);
	test_pool_expect(&test, 1, "012");
	ck_assert_uint_eq(test.stats.returned_death, 3);
	ck_assert_uint_eq(test.stats.handed_off, 6);
	ck_assert_uint_eq(test.stats.died, 0);
	ck_assert_uint_eq(
	    TAILQ_FIRST(&test_pool_worker(&test, 1)->unreceipted.list)
		->redeliveries,
	    1);
	test_pool_done(&test);
}
END_TEST

START_TEST(what_came_back_goes_before_what_was_held)
{
	struct test_pool test;

	init_sent(&test, 2);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_take_back(test.pool, test_pool_worker(&test, 0));
	test_pool_holds(&test, "2");
	die(&test, 0);
	test_pool_holds(&test, "012");
	test_pool_done(&test);
}
END_TEST

START_TEST(what_was_read_or_written_is_not_given_to_another)
{
	struct test_pool test;
	struct handoff *handoff;
	char byte;

	init_sent(&test, 3);
	handoff = TAILQ_FIRST(&test_pool_worker(&test, 0)->unreceipted.list);
	if (_i == 0) {
		ck_assert_int_eq(send(test.clients[0], "ab", 2, 0), 2);
		test_pool_await(&test, handoff->fd, POLLIN);
		ck_assert_int_eq(recv(handoff->fd, &byte, 1, 0), 1);
	} else {
		ck_assert_int_eq(send(handoff->fd, "a", 1, 0), 1);
	}
	die(&test, 0);
	ck_assert_uint_eq(test.stats.died, 1);
	test_pool_holds(&test, "12");
	ck_assert(test_pool_is_closed(&test, 0));
	test_pool_done(&test);
}
END_TEST

START_TEST(what_the_client_has_sent_stays_to_be_read)
{
	struct handoff *handoff;
	struct test_pool test;
	char byte;

	init_sent(&test, 1);
	handoff = TAILQ_FIRST(&test_pool_worker(&test, 0)->unreceipted.list);
	ck_assert_int_eq(send(test.clients[0], "a", 1, 0), 1);
	test_pool_await(&test, handoff->fd, POLLIN);
	die(&test, 0);
	test_pool_holds(&test, "0");
	ck_assert_int_eq(recv(handoff->fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'a');
	test_pool_done(&test);
}
END_TEST

START_TEST(a_client_that_has_gone_is_dropped)
{
	struct handoff *handoff;
	struct test_pool test;

	init_sent(&test, 2);
	handoff = TAILQ_FIRST(&test_pool_worker(&test, 0)->unreceipted.list);
	net_reset(test.clients[0]);
	test_pool_await(&test, handoff->fd, POLLHUP);
	test.clients[0] = test.clients[1];
	test.count = 1; /* the fixture closes it */
	test.sockets[0] = test.sockets[1];
	die(&test, 0);
	ck_assert_uint_eq(test.stats.dead, 1);
	test_pool_holds(&test, "0");
	test_pool_done(&test);
}
END_TEST

START_TEST(one_that_workers_die_of_is_refused_in_the_end)
{
	struct test_pool test;

	init_sent(&test, 2);
	test.endpoint.redeliveries = 1;
	die(&test, 0);
	test_pool_holds(&test, "01");
	test_pool_open(&test, 1);
	test_pool_settle(&test);
	test_pool_hello(&test, 1, FDRECV_WIRE_WEIGHT);
	dispatch_send(test.pool);
	ck_assert_uint_eq(test_pool_worker(&test, 1)->unreceipted.count, 2);
	die(&test, 1);
	ck_assert_uint_eq(test.stats.refused_deaths, 1);
	ck_assert(test_pool_is_closed(&test, 0));
	test_pool_holds(&test, "1");
	ck_assert_uint_eq(TAILQ_FIRST(&test.pool->held)->redeliveries, 2);
	ck_assert_uint_eq(TAILQ_FIRST(&test.pool->held)->deaths, 0);
	test_pool_done(&test);
}
END_TEST

/* The receipt and the hang-up are there when a send fails. */
START_TEST(what_a_worker_confirmed_before_its_end_is_not_given_to_another)
{
	struct test_pool test;

	init_sent(&test, 2);
	test.endpoint =
	    record_sample_unix(RECORD_UNIX_STREAM, "/nowhere/socket")
		.u.endpoint;
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 1);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	test_pool_close(&test, 0);
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.stats.worker_away, 1);
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(test.stats.returned_death, 1);
	test_pool_holds(&test, "12");
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(redeliver)
{
	TCase *tc = unit_case(suite, "redeliver");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, what_was_not_touched_goes_to_another_in_order);
	tcase_add_test(tc, what_came_back_goes_before_what_was_held);
	tcase_add_loop_test(
	    tc, what_was_read_or_written_is_not_given_to_another, 0, 2);
	tcase_add_test(tc, what_the_client_has_sent_stays_to_be_read);
	tcase_add_test(tc, a_client_that_has_gone_is_dropped);
	tcase_add_test(tc, one_that_workers_die_of_is_refused_in_the_end);
	tcase_add_test(
	    tc, what_a_worker_confirmed_before_its_end_is_not_given_to_another);
}
