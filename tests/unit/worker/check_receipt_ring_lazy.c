/* SPDX-License-Identifier: ISC */
/*
 * Receipts that come without a message: when a worker need not send one, and
 * when the engine looks for them.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "engine/worker/receipt_conn.h"

#include <event2/event.h>

static struct test_pool test;
static struct receipt_ring *ring;
static struct fdrecv_wire_ring *page;

/* A worker with a ring that has received count connections. */
static void
start(size_t count)
{
	struct fdrecv_wire_hello hello;

	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	hello.flags = FDRECV_WIRE_OFFER;
	test.receipt_conns[0] = test_pool_connect();
	wire_raw_send_hello(test.receipt_conns[0], &hello, test_pool_path(0));
	test_pool_settle(&test);
	test_pool_worker(&test, 0)->window.size = 32;
	ring = &TAILQ_FIRST(&test_pool_worker(&test, 0)->conns.head)->ring;
	page = ring->page;
	ck_assert_ptr_nonnull(page);
	test_pool_send_to_first(&test, count);
}

static void
write_receipt(uint64_t sequence)
{
	page->sequences[page->count++ % FDRECV_WIRE_RING_SLOTS] = sequence;
}

/* A worker with count connections that need not send a message. */
static void
start_lazy(size_t count)
{
	start(count);
	receipt_ring_be_lazy(ring);
	ck_assert_uint_eq(page->lazy, 1);
}

START_TEST(a_quick_worker_need_not_send_messages)
{
	start(2);
	ck_assert_uint_eq(page->lazy, 0);
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 1);
	fake_clock.stopped = 1; /* nothing is late */
	TAILQ_FIRST(&test_pool_worker(&test, 0)->unreceipted.list)->sent_us =
	    clock_us();
	test_pool_settle(&test);
	fake_clock.stopped = 0;
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(page->lazy, 1);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_timer_looks_at_what_is_written_without_a_message)
{
	start_lazy(2);
	write_receipt(0);
	while (test.stats.taken == 0)
		ck_assert_int_eq(
		    event_base_loop(test.core.base, EVLOOP_ONCE), 0);
	ck_assert(test_pool_is_closed(&test, 0));
	test_pool_done(&test);
}
END_TEST

START_TEST(a_worker_that_confirms_nothing_is_asked_for_messages)
{
	start_lazy(1);
	while (page->lazy == 1)
		ck_assert_int_eq(
		    event_base_loop(test.core.base, EVLOOP_ONCE), 0);
	ck_assert(!timer_is_set(&test.core.workers.rings.timer));
	test_pool_done(&test);
}
END_TEST

START_TEST(a_worker_that_owes_nothing_is_not_looked_at)
{
	start_lazy(1);
	write_receipt(0);
	receipt_ring_list_look(&test.core.workers.rings, clock_us());
	ck_assert_uint_eq(test.core.workers.rings.count, 0);
	while (timer_is_set(&test.core.workers.rings.timer))
		ck_assert_int_eq(
		    event_base_loop(test.core.base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(page->lazy, 1);
	test_pool_done(&test);
}
END_TEST

/* Nobody waits for room that is there. */
START_TEST(before_there_is_no_room_the_ring_is_read)
{
	start_lazy(1);
	test_pool_worker(&test, 0)->window.size = 1;
	test.endpoint.window = 1;
	write_receipt(0);
	ck_assert_ptr_nonnull(dispatch_pick(test.pool, &test.endpoint));
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(page->lazy, 1);
	ck_assert_uint_eq(test_pool_put(&test, 2), 1);
	ck_assert_uint_eq(page->lazy, 0);
	test_pool_done(&test);
}
END_TEST

/* A receipt of a hand-off that it was never sent. */
static void
write_more(void)
{
	if (page->count - page->read < FDRECV_WIRE_RING_SLOTS)
		write_receipt(1000);
}

/* The engine looks at the clock for each receipt. */
START_TEST(a_worker_that_writes_without_end_does_not_stop_the_engine)
{
	start_lazy(1);
	test_pool_worker(&test, 0)->window.size = 1;
	test.endpoint.window = 1;
	fake_clock.on_call = write_more;
	ck_assert_ptr_null(dispatch_pick(test.pool, &test.endpoint));
	fake_clock.on_call = NULL;
	ck_assert_uint_eq(test.stats.taken, 0);
	ck_assert_uint_gt(page->count, 1);
	test_pool_done(&test);
}
END_TEST

/* It may have been there since the last look. */
START_TEST(a_receipt_that_was_found_late_is_not_late)
{
	struct worker *worker;

	start_lazy(1);
	worker = test_pool_worker(&test, 0);
	worker->window.size = 4;
	write_receipt(0);
	receipt_ring_list_look(&test.core.workers.rings, clock_us() + 1000000);
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(worker->window.size, 5);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_receipt_that_was_missing_at_the_last_look_is_late)
{
	struct worker *worker;

	start_lazy(1);
	worker = test_pool_worker(&test, 0);
	worker->window.size = 4;
	receipt_ring_list_look(&test.core.workers.rings, clock_us() + 1000000);
	write_receipt(0);
	receipt_ring_list_look(&test.core.workers.rings, clock_us() + 1000000);
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(worker->window.size, 1);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(receipt_ring_lazy)
{
	TCase *tc = unit_case(suite, "ring_lazy");

	tcase_add_test(tc, a_quick_worker_need_not_send_messages);
	tcase_add_test(tc, a_timer_looks_at_what_is_written_without_a_message);
	tcase_add_test(
	    tc, a_worker_that_confirms_nothing_is_asked_for_messages);
	tcase_add_test(tc, a_worker_that_owes_nothing_is_not_looked_at);
	tcase_add_test(tc, before_there_is_no_room_the_ring_is_read);
	tcase_add_test(
	    tc, a_worker_that_writes_without_end_does_not_stop_the_engine);
	tcase_add_test(tc, a_receipt_that_was_found_late_is_not_late);
	tcase_add_test(tc, a_receipt_that_was_missing_at_the_last_look_is_late);
}
