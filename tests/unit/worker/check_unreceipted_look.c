/* SPDX-License-Identifier: ISC */
/*
 * Connections without a receipt: they expire some time after they left the
 * mailbox, and a worker that has never sent HELLO is dead or plain.
 */
#include "fixture/test_worker.h"
#include "fixture/unit.h"

#include "base/clock.h"

#include <event2/event.h>
#include <unistd.h>

#define JUDGE_MS 200

/* Checks them now instead of when the timer fires. */
static void
look(struct test_worker *test)
{
	test->worker->check.on_time(test->worker);
}

START_TEST(what_was_taken_from_the_mailbox_expires)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_send(&test, 1);
	test.endpoint.receipt_timeout_s = 0;
	look(&test);
	look(&test);
	test_worker_has(&test, "1"); /* it is still in the mailbox */
	test_worker_expect(&test, 0, 1);
	look(&test);
	test_worker_has(&test, "1"); /* it has left the mailbox now */
	look(&test);
	test_worker_has(&test, "0");
	ck_assert_uint_eq(test.stats.expired, 1);
	ck_assert_uint_eq(test.rooms, 1);
	test_worker_done(&test);
}
END_TEST

START_TEST(what_is_taken_later_expires_later)
{
	struct test_worker test;

	test_worker_init_received(&test, 2);
	look(&test);
	test.worker->unreceipted.emptied_us -= 2100000;
	test.worker->unreceipted.last_receipt_us =
	    clock_us(); /* another receipt has come */
	look(&test);
	test_worker_has(&test, "11");
	test.worker->unreceipted.last_receipt_us = 0;
	test.endpoint.receipt_timeout_s = 3;
	look(&test);
	test_worker_has(&test, "11");
	test.endpoint.receipt_timeout_s = 2;
	test_worker_send(&test, 1);
	look(&test);
	test_worker_has(
	    &test, "111"); /* the worker has something to read again */
	test_worker_expect(&test, 2, 1);
	look(&test);
	test_worker_has(&test, "111"); /* and time to read it */
	test_worker_done(&test);
}
END_TEST

START_TEST(it_looks_by_itself_until_all_is_known)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	ck_assert(!timer_is_set(&test.worker->check));
	test_worker_send(&test, 1);
	test_worker_expect(&test, 0, 1);
	test.endpoint.receipt_timeout_s = 0;
	test.worker->silence.after_s = 0;
	test_worker_await(&test, &test.rooms, 1);
	test_worker_has(&test, "0");
	ck_assert(!timer_is_set(&test.worker->check));
	test_worker_done(&test);
}
END_TEST

START_TEST(without_a_hello_a_worker_is_plain_after_a_while)
{
	uint64_t begin_ms = clock_ms();
	struct test_worker test;

	test_worker_init(&test, WORKER_NEW);
	test_worker_send(&test, 1);
	test_worker_expect(&test, 0, 1);
	test_worker_settle(&test);
	test_worker_has(&test, "1");
	test_worker_await(&test, &test.rooms, 1);
	/* libevent's clock is a coarse one. */
	ck_assert_uint_ge(clock_ms() - begin_ms, JUDGE_MS - 20);
	ck_assert_int_eq(test.worker->kind, WORKER_PLAIN);
	test_worker_has(&test, "0");
	ck_assert_uint_eq(test.stats.plain, 1);
	ck_assert_int_eq(
	    persistent_find(test.core.persistent, test.worker->mailbox.device,
		test.worker->mailbox.inode),
	    PERSISTENT_PLAIN);
	test_worker_done(&test);
}
END_TEST

START_TEST(without_a_hello_a_mailbox_that_is_gone_is_a_death)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_NEW);
	test_worker_send(&test, 1);
	close(test.mailbox);
	test.mailbox = -1;
	test_worker_settle(&test);
	ck_assert_uint_eq(test.deaths, 0);
	test_worker_await(&test, &test.deaths, 1);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_has_said_hello_before_may_take_its_time_to_read)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_NEW);
	test.worker->hello_expected = 1;
	test_worker_send(&test, 1);
	for (int i = 0; i < 3; i++) {
		timer_stop(&test.worker->check);
		look(&test);
		ck_assert(timer_is_set(&test.worker->check));
	}
	ck_assert_int_eq(test.worker->kind, WORKER_NEW);
	test_worker_has(&test, "1");
	ck_assert_int_eq(
	    persistent_find(test.core.persistent, test.worker->mailbox.device,
		test.worker->mailbox.inode),
	    0);
	close(test.mailbox);
	test.mailbox = -1;
	look(&test);
	ck_assert_uint_eq(test.deaths, 1);
	test_worker_done(&test);
}
END_TEST

/* Even if its mailbox was empty long ago, and no look was between. */
START_TEST(a_new_connection_has_its_time)
{
	struct test_worker test;

	test_worker_init_received(&test, 1);
	look(&test);
	test.worker->unreceipted.emptied_us -= 10000000;
	test_worker_say(&test, FDRECV_WIRE_TAKEN, 0, 1);
	test.worker->unreceipted.last_receipt_us = 0;
	test.endpoint.receipt_timeout_s = 5;
	test_worker_send(&test, 1);
	test_worker_expect(&test, 1, 1);
	look(&test);
	test_worker_has(&test, "01");
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_has_read_and_said_no_hello_is_plain)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_NEW);
	test.worker->hello_expected = 1;
	test_worker_send(&test, 1);
	test_worker_expect(&test, 0, 1);
	look(&test);
	ck_assert_int_eq(test.worker->kind, WORKER_NEW);
	test_worker_has(&test, "1");
	look(&test);
	test_worker_has(&test, "0");
	ck_assert_int_eq(test.worker->kind, WORKER_PLAIN);
	test_worker_done(&test);
}
END_TEST

UNIT_SUITE(unreceipted_look)
{
	TCase *tc = unit_case(suite, "receipts_look");

	tcase_add_test(tc, what_was_taken_from_the_mailbox_expires);
	tcase_add_test(tc, what_is_taken_later_expires_later);
	tcase_add_test(tc, it_looks_by_itself_until_all_is_known);
	tcase_add_test(tc, without_a_hello_a_worker_is_plain_after_a_while);
	tcase_add_test(tc, without_a_hello_a_mailbox_that_is_gone_is_a_death);
	tcase_add_test(
	    tc, a_worker_that_has_said_hello_before_may_take_its_time_to_read);
	tcase_add_test(tc, a_new_connection_has_its_time);
	tcase_add_test(tc, a_worker_that_has_read_and_said_no_hello_is_plain);
}
