/* SPDX-License-Identifier: ISC */
/*
 * What the silence of a worker means, and what ends it.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_worker.h"
#include "fixture/unit.h"

#include <unistd.h>

#define SECOND_US UINT64_C(1000000)

static struct test_worker test;

/* Lets time pass, and checks the worker as the timer would. */
static void
pass(uint64_t us)
{
	fake_clock.passed_us += us;
	test.worker->check.on_time(test.worker);
}

static enum silence_state
state(void)
{
	return test.worker->silence.state;
}

START_TEST(a_worker_that_does_not_read_is_stuck_once)
{
	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_send(&test, 1);
	pass(30 * SECOND_US - 1);
	ck_assert_int_eq(state(), SILENCE_NONE);
	ck_assert(worker_is_present(test.worker));
	pass(1);
	ck_assert_int_eq(state(), SILENCE_STUCK);
	ck_assert_uint_eq(test.silences, 1);
	ck_assert_uint_eq(test.worker->silence.began_us,
	    TAILQ_FIRST(&test.worker->unreceipted.list)->sent_us);
	ck_assert(!worker_is_present(test.worker));
	pass(30 * SECOND_US);
	ck_assert_uint_eq(test.silences, 1);
	test_worker_has(&test, "1");
	test_worker_done(&test);
}
END_TEST

START_TEST(the_first_receipt_ends_it)
{
	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_send(&test, 2);
	pass(40 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_STUCK);
	test_worker_say(&test, FDRECV_WIRE_TAKEN, 0, 1);
	ck_assert_int_eq(state(), SILENCE_NONE);
	ck_assert_uint_eq(test.silences, 2);
	ck_assert(worker_is_present(test.worker));
	pass(29 * SECOND_US); /* since the receipt, not since the hand-off */
	ck_assert_int_eq(state(), SILENCE_NONE);
	pass(SECOND_US);
	ck_assert_int_eq(state(), SILENCE_STUCK);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_read_and_confirms_nothing_is_late_and_then_busy)
{
	test_worker_init_received(&test, 1);
	pass(0);
	pass(2 * SECOND_US);
	test_worker_has(&test, "0"); /* after receipt-timeout */
	ck_assert_int_eq(state(), SILENCE_LATE);
	ck_assert(worker_may_take(test.worker, &test.endpoint));
	ck_assert(timer_is_set(&test.worker->check));
	pass(28 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_BUSY);
	ck_assert_uint_eq(test.silences, 1);
	ck_assert(worker_is_present(test.worker));
	ck_assert(!worker_may_take(test.worker, &test.endpoint));
	test_worker_say(&test, FDRECV_WIRE_TAKEN, 0, 1);
	ck_assert_int_eq(state(), SILENCE_NONE);
	ck_assert_uint_eq(test.silences, 2);
	test_worker_done(&test);
}
END_TEST

START_TEST(reading_the_next_connection_is_an_answer)
{
	test_worker_init_received(&test, 1);
	pass(0);
	pass(2 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_LATE);
	fake_clock.passed_us++;
	test_worker_send(&test, 1);
	pass(SECOND_US);
	ck_assert_int_eq(state(), SILENCE_LATE);
	test_worker_expect(&test, 1, 1);
	pass(SECOND_US);
	ck_assert_int_eq(state(), SILENCE_NONE);
	ck_assert_uint_eq(test.rooms, 2);
	test_worker_done(&test);
}
END_TEST

START_TEST(receipts_of_others_are_answers_too)
{
	test_worker_init(&test, WORKER_RECEIPTED);
	test.endpoint.receipt_timeout_s = 3600;
	test_worker_send(&test, 2);
	test_worker_expect(&test, 0, 2);
	pass(29 * SECOND_US);
	test_worker_say(&test, FDRECV_WIRE_TAKEN, 1, 1);
	pass(29 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_NONE);
	pass(SECOND_US);
	ck_assert_int_eq(state(), SILENCE_BUSY); /* it has read the first */
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_paused_itself_owes_nothing)
{
	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_send(&test, 1);
	test_worker_say(&test, FDRECV_WIRE_PAUSE, 0, 0);
	pass(40 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_NONE);
	test_worker_say(&test, FDRECV_WIRE_RESUME, 0, 0);
	pass(SECOND_US);
	ck_assert_int_eq(state(), SILENCE_NONE); /* it has just spoken */
	test_worker_done(&test);
}
END_TEST

START_TEST(stuck_after_0_is_never)
{
	test_worker_init_received(&test, 1);
	test.endpoint.stuck_after_s = 0;
	test_worker_send(&test, 1);
	pass(86400 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_NONE);
	test_worker_expect(&test, 1, 1);
	pass(0);
	pass(2 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_LATE);
	pass(86400 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_LATE);
	ck_assert_uint_eq(test.silences, 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_plain_worker_that_does_not_read_is_late_and_then_stuck)
{
	test_worker_init(&test, WORKER_PLAIN);
	test_worker_send(&test, 1);
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	fake_clock.passed_us += 60000;
	ck_assert(!worker_has_room(test.worker, &test.endpoint));
	ck_assert_int_eq(state(), SILENCE_LATE);
	/* If there is no other. */
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	pass(30 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_STUCK);
	ck_assert_uint_eq(test.silences, 1);
	test_worker_expect(&test, 0, 1);
	pass(0);
	ck_assert_int_eq(state(), SILENCE_NONE);
	ck_assert_uint_eq(test.silences, 2);
	ck_assert_uint_eq(test.rooms, 1);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_plain_worker_that_reads_is_not_asked_for_each_connection)
{
	test_worker_init(&test, WORKER_PLAIN);
	for (size_t i = 0; i < 20; i++) {
		test_worker_send(&test, 1);
		test_worker_expect(&test, i, 1);
		ck_assert_uint_eq(test.worker->silence.reading.count, i + 1);
		ck_assert(worker_has_room(test.worker, &test.endpoint));
	}
	fake_clock.passed_us += 60000;
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	ck_assert_uint_eq(test.worker->silence.reading.count, 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_plain_worker_that_died_is_found_soon)
{
	test_worker_init(&test, WORKER_PLAIN);
	test_worker_send(&test, 1);
	close(test.mailbox);
	test.mailbox = -1;
	ck_assert(timer_is_set(&test.worker->check));
	pass(SECOND_US);
	ck_assert_uint_eq(test.deaths, 1);
	test_worker_done(&test);
}
END_TEST

START_TEST(who_became_plain_without_reading_is_watched)
{
	test_worker_init(&test, WORKER_NEW);
	test_worker_send(&test, 1);
	pass(200000);
	ck_assert_int_eq(test.worker->kind, WORKER_PLAIN);
	ck_assert(timer_is_set(&test.worker->check));
	pass(30 * SECOND_US);
	ck_assert_int_eq(state(), SILENCE_STUCK);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_was_silent_gets_one_until_it_confirms_it)
{
	test_worker_init_received(&test, 1);
	test_worker_say(&test, FDRECV_WIRE_TAKEN, 0, 1);
	test.worker->window.size = 9;
	test_worker_put(&test, 1);
	ck_assert(worker_may_take(test.worker, &test.endpoint));
	fake_clock.passed_us += 5001;
	ck_assert(!worker_may_take(test.worker, &test.endpoint));
	ck_assert_int_eq(worker_send(test.worker), 0);
	test_worker_say(&test, FDRECV_WIRE_TAKEN, 1, 1);
	ck_assert(worker_may_take(test.worker, &test.endpoint));
	test_worker_done(&test);
}
END_TEST

UNIT_SUITE(silence)
{
	TCase *tc = unit_case(suite, "silence");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, a_worker_that_does_not_read_is_stuck_once);
	tcase_add_test(tc, the_first_receipt_ends_it);
	tcase_add_test(
	    tc, a_worker_that_read_and_confirms_nothing_is_late_and_then_busy);
	tcase_add_test(tc, reading_the_next_connection_is_an_answer);
	tcase_add_test(tc, receipts_of_others_are_answers_too);
	tcase_add_test(tc, a_worker_that_paused_itself_owes_nothing);
	tcase_add_test(tc, stuck_after_0_is_never);
	tcase_add_test(
	    tc, a_plain_worker_that_does_not_read_is_late_and_then_stuck);
	tcase_add_test(
	    tc, a_plain_worker_that_reads_is_not_asked_for_each_connection);
	tcase_add_test(tc, a_plain_worker_that_died_is_found_soon);
	tcase_add_test(tc, who_became_plain_without_reading_is_watched);
	tcase_add_test(
	    tc, a_worker_that_was_silent_gets_one_until_it_confirms_it);
}
