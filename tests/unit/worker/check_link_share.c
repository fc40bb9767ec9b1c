/* SPDX-License-Identifier: ISC */
/*
 * Messages on receipt connections that bring nothing.
 */
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/clock.h"

#include <event2/event.h>

#define MESSAGES 100 /* a socket's buffer has room for more */

static struct link_share *
share_of(const struct test_pool *test)
{
	return &test_pool_worker(test, 0)->quota->links;
}

static void
send_nothing(struct test_pool *test, enum fdrecv_wire_receipt_kind kind)
{
	for (int i = 0; i < MESSAGES; i++)
		wire_raw_send_receipt(test->receipt_conns[0],
		    test->core.workers.epoch, kind, 1000, UINT32_MAX);
}

/* As if they had taken very long. */
static void
exhaust(struct test_pool *test)
{
	share_of(test)->effort->until_us = clock_us() + UINT64_C(3600000000);
}

/* The owner has its time again. */
static void
continue_reading(struct test_pool *test)
{
	ck_assert_ptr_nonnull(TAILQ_FIRST(&share_of(test)->resting));
	share_of(test)->effort->until_us = 0;
	timer_set(&share_of(test)->timer, 0);
}

START_TEST(when_they_have_had_their_time_they_rest)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 2);
	exhaust(&test);
	send_nothing(&test, FDRECV_WIRE_TAKEN);
	test_pool_settle(&test);
	ck_assert_ptr_eq(TAILQ_FIRST(&share_of(&test)->resting),
	    TAILQ_FIRST(&test_pool_worker(&test, 0)->conns.head));
	ck_assert_uint_gt(share_of(&test)->rests, 0);
	test_pool_done(&test);
}
END_TEST

START_TEST(what_comes_behind_them_is_read)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	test_pool_send_to_first(&test, 1);
	exhaust(&test);
	send_nothing(&test, (enum fdrecv_wire_receipt_kind)_i);
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, test_pool_worker(&test, 0)->sequence - 1, 1);
	test_pool_settle(&test);
	ck_assert_uint_eq(test_pool_worker(&test, 0)->unreceipted.count, 1);
	continue_reading(&test);
	while (test_pool_worker(&test, 0)->unreceipted.count > 0)
		event_base_loop(test.core.base, EVLOOP_ONCE);
	test_pool_done(&test);
}
END_TEST

START_TEST(receipts_of_hand_offs_need_no_rest)
{
	struct test_pool test;
	uint64_t until_us;

	test_pool_init_receipted(&test, 1);
	test_pool_send_to_first(&test, 1);
	until_us = share_of(&test)->effort->until_us;
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, test_pool_worker(&test, 0)->sequence - 1, 1);
	test_pool_settle(&test);
	ck_assert_uint_eq(test_pool_worker(&test, 0)->unreceipted.count, 0);
	ck_assert_uint_eq(share_of(&test)->effort->until_us, until_us);
	test_pool_done(&test);
}
END_TEST

START_TEST(one_that_rests_may_end)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	exhaust(&test);
	send_nothing(&test, FDRECV_WIRE_LIMIT);
	test_pool_settle(&test);
	test_pool_close(&test, 0);
	test_pool_settle(&test);
	ck_assert_ptr_nonnull(test_pool_worker(&test, 0));
	continue_reading(&test);
	while (test_pool_worker(&test, 0) != NULL)
		event_base_loop(test.core.base, EVLOOP_ONCE);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(link_share)
{
	TCase *tc = unit_case(suite, "rest");

	tcase_add_test(tc, when_they_have_had_their_time_they_rest);
	tcase_add_loop_test(tc, what_comes_behind_them_is_read,
	    FDRECV_WIRE_TAKEN, FDRECV_WIRE_UNREAD + 1);
	tcase_add_test(tc, receipts_of_hand_offs_need_no_rest);
	tcase_add_test(tc, one_that_rests_may_end);
}
