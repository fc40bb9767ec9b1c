/* SPDX-License-Identifier: ISC */
/*
 * What becomes of connections that cannot be sent.
 */
#include "fixture/fake_sendmsg.h"
#include "fixture/net.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static size_t
outstanding(const struct test_pool *test, unsigned int which)
{
	const struct worker *worker = test_pool_worker(test, which);

	return worker->outbox_count + worker->unreceipted.count;
}

START_TEST(what_cannot_be_sent_goes_to_others)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 2);
	for (unsigned int i = 0; i < 2; i++)
		test_pool_worker(&test, i)->window.size = 2;
	ck_assert_uint_eq(test_pool_put(&test, 4), 4);
	if (_i == 0)
		test_pool_close(&test, 0);
	else
		ck_assert_int_eq(shutdown(test.mailboxes[0], SHUT_RD), 0);
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.stats.worker_away, _i == 0);
	ck_assert_uint_eq(test.stats.worker_leaving, _i == 1);
	ck_assert_uint_eq(test.stats.held, 2);
	ck_assert_uint_eq(outstanding(&test, 1), 2);
	wire_raw_send_receipt(test.receipt_conns[1], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 2);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.held, 0);
	ck_assert_uint_eq(test.stats.handed_off, 4);
	ck_assert_uint_eq(outstanding(&test, 1), 2);
	test_pool_done(&test);
}
END_TEST

START_TEST(what_nobody_can_be_sent_waits_for_a_worker_to_come)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 3), 3);
	test_pool_close(&test, 0);
	dispatch_send(test.pool);
	test_pool_holds(&test, "012");
	ck_assert(pool_is_busy(test.pool));
	test_pool_open(&test, 1);
	test_pool_await(&test, test.mailboxes[1], POLLIN);
	test_pool_expect(&test, 1, "0"); /* one for another process */
	test_pool_holds(&test, "12");
	test_pool_hello(&test, 1, FDRECV_WIRE_WEIGHT);
	test_pool_worker(&test, 1)->window.size = 3;
	test_pool_settle(&test);
	dispatch_send(test.pool);
	test_pool_expect(&test, 1, "12");
	test_pool_holds(&test, "");
	test_pool_done(&test);
}
END_TEST

START_TEST(what_finds_the_mailbox_full_is_sent_when_it_has_room)
{
	struct test_pool test;
	int sender, byte = 0;

	test_pool_init_receipted(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	sender = net_reach(test_pool_path(0), SOCK_DGRAM);
	while (send(sender, "x", 1, MSG_DONTWAIT) == 1)
		byte++;
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.stats.worker_full, 1);
	test_pool_holds(&test, "01");
	test_pool_settle(&test);
	test_pool_holds(&test, "01");
	while (byte-- > 0)
		ck_assert_int_eq(recv(test.mailboxes[0], &(char){0}, 1, 0), 1);
	test_pool_await(&test, test.mailboxes[0], POLLIN);
	test_pool_expect(&test, 0, "01");
	test_pool_holds(&test, "");
	test_pool_done(&test);
	close(sender);
}
END_TEST

/* A shortage passes; other errors last. */
START_TEST(what_fails_for_another_reason_is_tried_again)
{
	struct test_pool test;
	struct worker *worker;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	fake_sendmsg_error = _i == 0 ? ENOBUFS : EACCES;
	dispatch_send(test.pool);
	fake_sendmsg_error = 0;
	test_pool_holds(&test, "01");
	ck_assert_uint_eq(test.stats.send_retried, _i == 0);
	ck_assert_uint_eq(test.stats.send_failed, _i == 1);
	ck_assert_int_eq(worker->window.size == 1, _i == 0);
	ck_assert(timer_is_set(&worker->rest));
	test_pool_settle(&test);
	test_pool_holds(&test, "01");
	worker->window.size = 2;
	worker->rest.on_time(worker);
	test_pool_expect(&test, 0, "01");
	test_pool_done(&test);
}
END_TEST

/* Each worker has tried what it was given already. */
START_TEST(what_the_kernel_has_no_room_for_waits_for_its_owner)
{
	struct test_pool test;
	struct owner_quota *quota;

	test_pool_init_receipted(&test, 2);
	quota = test_pool_worker(&test, 0)->quota;
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	fake_sendmsg_error = ETOOMANYREFS;
	dispatch_send(test.pool);
	test_pool_holds(&test, "01");
	ck_assert_uint_eq(test.stats.send_retried, 2);
	ck_assert(!timer_is_set(&test_pool_worker(&test, 0)->rest));
	ck_assert_uint_eq(test_pool_put(&test, 1), 0);
	fake_sendmsg_error = 0;
	timer_stop(&quota->retry);
	quota->retry.on_time(quota);
	test_pool_await(&test, test.mailboxes[0], POLLIN);
	test_pool_holds(&test, "");
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(dispatch_failed)
{
	TCase *tc = unit_case(suite, "failed");

	tcase_add_loop_test(tc, what_cannot_be_sent_goes_to_others, 0, 2);
	tcase_add_test(tc, what_nobody_can_be_sent_waits_for_a_worker_to_come);
	tcase_add_test(
	    tc, what_finds_the_mailbox_full_is_sent_when_it_has_room);
	tcase_add_loop_test(
	    tc, what_fails_for_another_reason_is_tried_again, 0, 2);
	tcase_add_test(tc, what_the_kernel_has_no_room_for_waits_for_its_owner);
}
