/* SPDX-License-Identifier: ISC */
/*
 * What lacks a receipt: it expires some time after it left the mailbox, and a
 * worker that has never said HELLO is dead or plain.
 */
#include "fixture/desk.h"
#include "fixture/unit.h"

#include "base/clock.h"

#include <event2/event.h>
#include <unistd.h>

#define JUDGE_MS 200

/* Looks now, and not when the timer says so. */
static void
look(struct desk *desk)
{
	unreceipted_on_look(-1, 0, desk->worker);
}

START_TEST(what_was_taken_from_the_mailbox_expires)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk_send(&desk, 1);
	desk.endpoint.receipt_timeout_s = 0;
	look(&desk);
	look(&desk);
	desk_has(&desk, "1"); /* it is in the mailbox still */
	desk_expect(&desk, 0, 1);
	look(&desk);
	desk_has(&desk, "1"); /* since now it is not */
	look(&desk);
	desk_has(&desk, "0");
	ck_assert_uint_eq(desk.stats.expired, 1);
	ck_assert_uint_eq(desk.rooms, 1);
	desk_done(&desk);
}
END_TEST

START_TEST(what_is_taken_later_expires_later)
{
	struct desk desk;

	desk_init_received(&desk, 2);
	look(&desk);
	desk.worker->drained_us -= 2100000;
	desk.worker->heard_us = clock_us(); /* another receipt came */
	look(&desk);
	desk_has(&desk, "11");
	desk.worker->heard_us = 0;
	desk.endpoint.receipt_timeout_s = 3;
	look(&desk);
	desk_has(&desk, "11");
	desk.endpoint.receipt_timeout_s = 2;
	desk_send(&desk, 1);
	look(&desk);
	desk_has(&desk, "111"); /* the worker has something to read again */
	desk_expect(&desk, 2, 1);
	look(&desk);
	desk_has(&desk, "111"); /* and has time for it */
	desk_done(&desk);
}
END_TEST

START_TEST(it_looks_by_itself_until_all_is_known)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	ck_assert(!event_pending(desk.worker->look, EV_TIMEOUT, NULL));
	desk_send(&desk, 1);
	desk_expect(&desk, 0, 1);
	desk.endpoint.receipt_timeout_s = 0;
	desk_await(&desk, &desk.rooms, 1);
	desk_has(&desk, "0");
	ck_assert(!event_pending(desk.worker->look, EV_TIMEOUT, NULL));
	desk_done(&desk);
}
END_TEST

START_TEST(without_a_hello_a_worker_is_plain_after_a_while)
{
	uint64_t begin_ms = clock_ms();
	struct desk desk;

	desk_init(&desk, WORKER_NEW);
	desk_send(&desk, 1);
	desk_expect(&desk, 0, 1);
	desk_settle(&desk);
	desk_has(&desk, "1");
	desk_await(&desk, &desk.rooms, 1);
	/* libevent's clock is a coarse one. */
	ck_assert_uint_ge(clock_ms() - begin_ms, JUDGE_MS - 20);
	ck_assert_int_eq(desk.worker->kind, WORKER_PLAIN);
	desk_has(&desk, "0");
	ck_assert_uint_eq(desk.stats.plain, 1);
	ck_assert_int_eq(
	    stats_find_kind(&desk.core.stats, desk.worker->mailbox.device,
		desk.worker->mailbox.inode),
	    STATS_PLAIN);
	desk_done(&desk);
}
END_TEST

START_TEST(without_a_hello_a_mailbox_that_is_gone_is_a_death)
{
	struct desk desk;

	desk_init(&desk, WORKER_NEW);
	desk_send(&desk, 1);
	close(desk.mailbox);
	desk.mailbox = -1;
	desk_settle(&desk);
	ck_assert_uint_eq(desk.deaths, 0);
	desk_await(&desk, &desk.deaths, 1);
	desk_done(&desk);
}
END_TEST

START_TEST(a_worker_that_has_said_hello_before_is_never_plain)
{
	struct desk desk;

	desk_init(&desk, WORKER_NEW);
	desk.worker->expected = 1;
	desk_send(&desk, 1);
	desk_expect(&desk, 0, 1);
	for (int i = 0; i < 3; i++) {
		event_del(desk.worker->look);
		look(&desk);
		ck_assert(event_pending(desk.worker->look, EV_TIMEOUT, NULL));
	}
	ck_assert_int_eq(desk.worker->kind, WORKER_NEW);
	desk_has(&desk, "1");
	ck_assert_int_eq(
	    stats_find_kind(&desk.core.stats, desk.worker->mailbox.device,
		desk.worker->mailbox.inode),
	    STATS_UNKNOWN);
	close(desk.mailbox);
	desk.mailbox = -1;
	look(&desk);
	ck_assert_uint_eq(desk.deaths, 1);
	desk_done(&desk);
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
	tcase_add_test(tc, a_worker_that_has_said_hello_before_is_never_plain);
}
