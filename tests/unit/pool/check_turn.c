/* SPDX-License-Identifier: ISC */
/*
 * Workers that have no room are put aside, and come back when they may have.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

/* Fills the windows of two workers. */
static void
init_full(struct test_pool *test)
{
	test_pool_init_receipted(test, 2);
	for (unsigned int i = 0; i < 2; i++)
		test_pool_worker(test, i)->window.size = 1;
	ck_assert_uint_eq(test_pool_put(test, 3), 2);
	dispatch_send(test->pool);
	ck_assert_ptr_null(turn_next(test->pool, &test->endpoint));
	ck_assert_uint_eq(test->pool->turn.aside, 2);
}

static void
send_receipt(struct test_pool *test, unsigned int which)
{
	wire_raw_send_receipt(test->receipt_conns[which],
	    test->core.workers.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	test_pool_settle(test);
}

START_TEST(one_without_room_comes_back_with_its_receipt)
{
	struct test_pool test;

	init_full(&test);
	send_receipt(&test, 1);
	ck_assert_uint_eq(test.pool->turn.aside, 1);
	ck_assert_ptr_eq(
	    turn_next(test.pool, &test.endpoint), test_pool_worker(&test, 1));
	test_pool_done(&test);
}
END_TEST

START_TEST(room_for_another_endpoint_is_found)
{
	struct record_endpoint bare;
	struct test_pool test;

	init_full(&test);
	bare = test.endpoint;
	bare.protocol = RECORD_BARE;
	ck_assert_ptr_nonnull(turn_next(test.pool, &bare));
	ck_assert_ptr_null(turn_next(test.pool, &test.endpoint));
	test_pool_done(&test);
}
END_TEST

START_TEST(what_is_held_looks_at_all)
{
	struct test_pool test;

	init_full(&test);
	test_pool_worker(&test, 0)->window.size = 2;
	ck_assert_ptr_null(turn_next(test.pool, &test.endpoint));
	dispatch_return(test.pool, test_pool_handoff(&test));
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.stats.held, 0);
	test_pool_done(&test);
}
END_TEST

START_TEST(one_that_is_late_is_next_only_if_no_other_answers)
{
	struct test_pool test;
	struct worker *late, *other;

	test_pool_init_receipted(&test, 2);
	late = turn_next(test.pool, &test.endpoint);
	late->silence.state = SILENCE_LATE;
	other = turn_next(test.pool, &test.endpoint);
	ck_assert_ptr_ne(other, late);
	other->full = 1; /* it has no room, but answers */
	ck_assert_ptr_null(turn_next(test.pool, &test.endpoint));
	other->has_left = 1;
	ck_assert_ptr_eq(turn_next(test.pool, &test.endpoint), late);
	other->has_left = 0;
	other->full = 0;
	turn_update(test.pool, other);
	ck_assert_ptr_eq(turn_next(test.pool, &test.endpoint), other);
	test_pool_done(&test);
}
END_TEST

/* The client has gone before it was accepted, so nothing is sent. */
START_TEST(one_that_is_found_to_answer_is_next_again)
{
	struct test_pool test;
	struct worker *worker;

	test_pool_init(&test, 1);
	worker = test_pool_worker(&test, 0);
	worker->kind = WORKER_PLAIN;
	worker->silence.state = SILENCE_LATE;
	worker->silence.reading.since_us = 1;
	for (int i = 0; i < 2; i++)
		ck_assert_ptr_eq(
		    dispatch_pick(test.pool, &test.endpoint), worker);
	test_pool_done(&test);
}
END_TEST

START_TEST(an_equal_weight_makes_the_fewest_outstanding_next_again)
{
	struct test_pool test;
	struct worker *heavy;

	test_pool_init_receipted(&test, 2);
	heavy = test_pool_worker(&test, 0);
	heavy->share.weight = 300;
	turn_update(test.pool, heavy);
	ck_assert_uint_eq(test_pool_put(&test, 8), 8);
	ck_assert_uint_eq(worker_outstanding(heavy), 6);
	heavy->share.weight = FDRECV_WIRE_WEIGHT;
	turn_update(test.pool, heavy);
	ck_assert_uint_eq(test_pool_put(&test, 4), 4);
	ck_assert_uint_eq(worker_outstanding(heavy), 6);
	test_pool_done(&test);
}
END_TEST

START_TEST(one_that_goes_is_next_no_more)
{
	struct test_pool test;
	struct worker *next;

	test_pool_init_receipted(&test, 3);
	next = turn_next(test.pool, &test.endpoint);
	dispatch_free_worker(test.pool, next);
	next = turn_next(test.pool, &test.endpoint);
	next->has_left = 1;
	ck_assert_ptr_ne(turn_next(test.pool, &test.endpoint), next);
	dispatch_free_worker(test.pool, next);
	ck_assert_uint_eq(test.pool->turn.aside, 0);
	next = turn_next(test.pool, &test.endpoint);
	dispatch_free_worker(test.pool, next);
	ck_assert_ptr_null(turn_next(test.pool, &test.endpoint));
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(turn)
{
	TCase *tc = unit_case(suite, "turn");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, one_without_room_comes_back_with_its_receipt);
	tcase_add_test(tc, room_for_another_endpoint_is_found);
	tcase_add_test(tc, what_is_held_looks_at_all);
	tcase_add_test(tc, one_that_is_late_is_next_only_if_no_other_answers);
	tcase_add_test(tc, one_that_is_found_to_answer_is_next_again);
	tcase_add_test(
	    tc, an_equal_weight_makes_the_fewest_outstanding_next_again);
	tcase_add_test(tc, one_that_goes_is_next_no_more);
}
