/* SPDX-License-Identifier: ISC */
/*
 * Receipts: confirmed connections are closed, lost ones come back, and
 * receipts for connections of others are ignored.
 */
#include "fixture/test_worker.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "base/clock.h"
#include "engine/handoff/bounded_close.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <unistd.h>

static void
taken(struct test_worker *test, uint64_t sequence, uint32_t count)
{
	unreceipted_on_taken(&test->worker->unreceipted, &test->worker->window,
	    sequence, count, clock_us());
}

START_TEST(what_is_taken_is_closed)
{
	struct test_worker test;

	test_worker_init_received(&test, 3);
	test_worker_has(&test, "111");
	taken(&test, 0, 1);
	test_worker_has(&test, "011");
	taken(&test, 1, 2);
	test_worker_has(&test, "000");
	ck_assert_uint_eq(test.stats.taken, 3);
	test_worker_done(&test);
}
END_TEST

/* Connections that have been accepted are sent meanwhile. */
START_TEST(closing_can_be_delayed)
{
	struct test_worker test;
	struct unreceipted_closing *closing;

	test_worker_init_received(&test, 3);
	closing = test.worker->unreceipted.closing;
	unreceipted_delay_closing(closing);
	taken(&test, 0, 1);
	taken(&test, 1, 1);
	ck_assert(!test_worker_is_closed(&test, 0));
	ck_assert(!test_worker_is_closed(&test, 1));
	unreceipted_continue_closing(closing);
	test_worker_has(&test, "001");
	unreceipted_delay_closing(closing);
	taken(&test, 2, 1);
	unreceipted_release(&test.worker->unreceipted);
	test_worker_has(&test, "000");
	unreceipted_continue_closing(closing);
	ck_assert_uint_eq(test.stats.taken, 3);
	test_worker_done(&test);
}
END_TEST

START_TEST(receipts_may_come_in_any_order)
{
	struct test_worker test;

	test_worker_init_received(&test, 4);
	taken(&test, 2, 1);
	test_worker_has(&test, "1101");
	taken(&test, 3, 1);
	test_worker_has(&test, "1100");
	taken(&test, 0, 4); /* with gaps */
	test_worker_has(&test, "0000");
	ck_assert_uint_eq(test.stats.taken, 4);
	test_worker_done(&test);
}
END_TEST

START_TEST(numbers_that_were_not_sent_mean_nothing)
{
	static const struct {
		uint64_t sequence;
		uint32_t count;
	} strange[] = {{3, 1}, {100, 100}, {UINT64_MAX, 1}, {1, 0}, {0, 0},
	    {UINT64_MAX - 4, 5}};
	struct test_worker test;

	test_worker_init_received(&test, 3);
	for (size_t i = 0; i < UNIT_COUNT(strange); i++) {
		taken(&test, strange[i].sequence, strange[i].count);
		test_worker_has(&test, "111");
		test_worker_say(&test, FDRECV_WIRE_LIMIT, strange[i].sequence,
		    strange[i].count);
		test_worker_has(&test, "111");
	}
	ck_assert_uint_eq(test.returns, 0);
	ck_assert_uint_eq(test.stats.taken, 0);
	taken(&test, 2, UINT32_MAX); /* some of them */
	test_worker_has(&test, "110");
	test_worker_done(&test);
}
END_TEST

START_TEST(a_receipt_counts_once)
{
	struct test_worker test;

	test_worker_init_received(&test, 2);
	for (int i = 0; i < 2; i++)
		taken(&test, 0, 1);
	test_worker_say(&test, FDRECV_WIRE_LIMIT, 0, 1);
	test_worker_has(&test, "01");
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(test.returns, 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(quick_receipts_open_the_window_and_slow_ones_close_it)
{
	struct test_worker test;

	test_worker_init_received(&test, 3);
	test.worker->window.size = 2;
	TAILQ_FIRST(&test.worker->unreceipted.list)->sent_us = clock_us();
	taken(&test, 0, 1);
	ck_assert_uint_eq(test.worker->window.size, 3);
	TAILQ_FIRST(&test.worker->unreceipted.list)->sent_us =
	    clock_us() - 51000;
	taken(&test, 1, 1);
	ck_assert_uint_eq(test.worker->window.size, 1);
	test_worker_done(&test);
}
END_TEST

START_TEST(what_is_lost_comes_back_and_the_worker_rests)
{
	struct test_worker test;

	test_worker_init_received(&test, 3);
	test.worker->loan.count = 2;
	test_worker_say(
	    &test, _i == 0 ? FDRECV_WIRE_LIMIT : FDRECV_WIRE_DENIED, 1, 1);
	ck_assert_uint_eq(test.returns, 1);
	ck_assert_uint_eq(
	    test_worker_which(&test, TAILQ_FIRST(&test.returned)->fd), 1);
	ck_assert(!test_worker_is_closed(&test, 1));
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	ck_assert_uint_eq(test.stats.returned_limit, _i == 0);
	ck_assert_uint_eq(test.stats.returned_denied, _i == 1);
	ck_assert_uint_eq(test.worker->window.size, 1);
	ck_assert_uint_eq(test.worker->loan.count, 0);
	taken(&test, 0, 3);
	ck_assert(!worker_has_room(test.worker, &test.endpoint));
	test_worker_await(&test, &test.rooms, 1);
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	test_worker_done(&test);
}
END_TEST

/* Each one is put in front of those that came back before, so the last one
 * comes first. */
START_TEST(a_range_that_is_lost_comes_back_from_its_end)
{
	const struct handoff *handoff;
	struct test_worker test;
	size_t which = 3;

	test_worker_init_received(&test, 4);
	test_worker_say(&test, FDRECV_WIRE_LIMIT, 1, 3);
	ck_assert_uint_eq(test.returns, 3);
	TAILQ_FOREACH (handoff, &test.returned, entry)
		ck_assert_uint_eq(
		    test_worker_which(&test, handoff->fd), which--);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_is_let_go_keeps_nothing)
{
	struct test_worker test;

	test_worker_init_received(&test, 2);
	unreceipted_release(&test.worker->unreceipted);
	test_worker_has(&test, "00");
	ck_assert_uint_eq(test.stats.plain, 2);
	test.worker->check.on_time(test.worker);
	ck_assert_uint_eq(test.rooms, 0);
	test_worker_done(&test);
}
END_TEST

static int
lingers(int fd)
{
	struct linger linger;
	socklen_t size = sizeof(linger);

	ck_assert_int_eq(
	    getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
	return linger.l_onoff;
}

/* The first of two connections lingers or not; the second one does. */
START_TEST(a_worker_is_looked_at_until_its_connections_do_not_linger)
{
	static const struct linger on = {1, 1000};
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_send(&test, 2);
	wire_raw_take(&test.raw, test.mailbox);
	for (int i = 1 - _i; i < 2; i++)
		ck_assert_int_eq(setsockopt(test.raw.fds[i], SOL_SOCKET,
				     SO_LINGER, &on, sizeof(on)),
		    0);
	test.worker->unreceipted.linger_checks = 1;
	taken(&test, 0, 2);
	ck_assert_uint_eq(
	    test.worker->unreceipted.linger_checks, _i == 0 ? 0 : 10000);
	ck_assert(!lingers(test.raw.fds[0]));
	ck_assert_int_eq(lingers(test.raw.fds[1]), _i == 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_close_that_has_to_wait_raises_suspicion)
{
	struct test_worker test;
	int listener;

	test_worker_init_received(&test, 2);
	listener = net_strand(test.clients[1]);
	/* A limit in force could end the wait too early. */
	bounded_close_stop(&test.core.bounded);
	taken(&test, 1, 1);
	ck_assert_uint_eq(test.worker->unreceipted.linger_checks, 100);
	close(listener);
	test_worker_done(&test);
}
END_TEST

UNIT_SUITE(unreceipted)
{
	TCase *tc = unit_case(suite, "receipts");

	tcase_add_test(tc, what_is_taken_is_closed);
	tcase_add_test(tc, closing_can_be_delayed);
	tcase_add_test(tc, receipts_may_come_in_any_order);
	tcase_add_test(tc, numbers_that_were_not_sent_mean_nothing);
	tcase_add_test(tc, a_receipt_counts_once);
	tcase_add_test(
	    tc, quick_receipts_open_the_window_and_slow_ones_close_it);
	tcase_add_loop_test(
	    tc, what_is_lost_comes_back_and_the_worker_rests, 0, 2);
	tcase_add_test(tc, a_range_that_is_lost_comes_back_from_its_end);
	tcase_add_test(tc, a_worker_that_is_let_go_keeps_nothing);
	tcase_add_loop_test(tc,
	    a_worker_is_looked_at_until_its_connections_do_not_linger, 0, 2);
	tcase_add_test(tc, a_close_that_has_to_wait_raises_suspicion);
}
