/* SPDX-License-Identifier: ISC */
/*
 * What an owner has, as far as the kernel tells, and when its workers wait.
 */
#include "fixture/fake_sendmsg.h"
#include "fixture/test_worker.h"
#include "fixture/unit.h"

#include "engine/handoff/persistent.h"
#include "engine/worker/owner_quota.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct test_worker test;
static struct owner_quota *quota;

static void
init(enum worker_kind kind)
{
	test_worker_init(&test, kind);
	quota = test.worker->quota;
}

static uint64_t
unread(void)
{
	owner_quota_count(quota);
	return quota->unread;
}

/* Lets so many descriptors be left. */
static void
limit(int left)
{
	int lowest = dup(0);

	ck_assert_int_ne(lowest, -1);
	close(lowest);
	test.core.reserve.last = lowest;
	test.core.reserve.first = lowest + left;
}

START_TEST(what_is_unread_is_counted)
{
	init(WORKER_PLAIN);
	ck_assert_uint_eq(unread(), 0);
	for (size_t i = 0; i < 5; i++)
		test_worker_send(&test, 1);
	ck_assert_uint_eq(test.worker->silence.reading.count, 5);
	ck_assert_uint_eq(unread(), 5);
	test_worker_expect(&test, 0, 1);
	test_worker_expect(&test, 1, 1);
	ck_assert_uint_eq(unread(), 3);
	test_worker_send(&test, 1);
	ck_assert_uint_eq(unread(), 4);
	for (size_t i = 2; i < 6; i++)
		test_worker_expect(&test, i, 1);
	ck_assert_uint_eq(unread(), 0);
	silence_look(test.worker);
	ck_assert_uint_eq(test.worker->silence.reading.count, 0);
	test_worker_done(&test);
}
END_TEST

/* Whatever one datagram needs, its descriptors are at most those that lack a
 * receipt. */
START_TEST(what_lacks_a_receipt_may_have_been_read)
{
	init(WORKER_RECEIPTED);
	test_worker_send(&test, 3);
	test_worker_send(&test, 2);
	ck_assert_uint_eq(unread(), 5);
	ck_assert_uint_eq(quota->held, 5);
	test_worker_put(&test, 1);
	ck_assert_uint_eq(unread(), 6);
	test_worker_expect(&test, 0, 3);
	test_worker_expect(&test, 3, 2);
	ck_assert_uint_eq(unread(), 1); /* that is to be sent */
	ck_assert_uint_eq(quota->held, 6);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_becomes_plain_has_what_it_had)
{
	init(WORKER_RECEIPTED);
	test_worker_send(&test, 3);
	silence_become_plain(test.worker);
	ck_assert_uint_eq(unread(), 3);
	ck_assert_uint_eq(quota->held, 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(what_cannot_be_asked_any_more_is_claimed)
{
	init(WORKER_PLAIN);
	test_worker_send(&test, 1);
	test_worker_send(&test, 1);
	worker_free(test.worker);
	test.worker = NULL;
	ck_assert_uint_eq(test.core.quotas.count, 1);
	ck_assert_uint_eq(quota->claimed, 2);
	ck_assert_uint_eq(unread(), 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(an_owner_without_workers_is_forgotten)
{
	init(WORKER_PLAIN);
	test_worker_send(&test, 1);
	test_worker_expect(&test, 0, 1);
	worker_free(test.worker);
	test.worker = NULL;
	ck_assert_uint_eq(test.core.quotas.count, 0);
	test_worker_done(&test);
}
END_TEST

/* Anything may be written there, and it counts only while it can be true. */
START_TEST(what_an_earlier_engine_wrote_is_believed_for_a_time)
{
	static const uint64_t wrote[] = {3, UINT64_MAX};
	const int is_root = geteuid() == 0; /* the kernel limits nothing */
	const struct worker_callbacks *callbacks;
	struct mailbox mailbox;

	init(WORKER_PLAIN);
	persistent_set_unread(test.core.persistent, geteuid(), wrote[_i]);
	mailbox = test.worker->mailbox;
	test.worker->mailbox.node = test.worker->mailbox.fd = -1;
	callbacks = test.worker->callbacks;
	worker_free(test.worker);
	test.worker =
	    worker_new(&test.core.workers, "box", &mailbox, callbacks, &test);
	quota = test.worker->quota;
	ck_assert_uint_eq(quota->claimed, _i == 0 ? 3 : IN_FLIGHT_MOST);
	test.core.quotas.left = 0; /* to be measured */
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	ck_assert(!is_root || quota->claimed == 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(an_owner_that_the_kernel_refuses_waits)
{
	init(WORKER_PLAIN);
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	fake_sendmsg_error = ETOOMANYREFS;
	owner_quota_on_refused(quota);
	ck_assert_uint_ne(quota->since_ms, 0);
	ck_assert(!worker_may_take(test.worker, &test.endpoint));
	ck_assert(!worker_has_room(test.worker, &test.endpoint));
	for (unsigned int i = 0; i < 10; i++) {
		ck_assert(timer_is_set(&quota->retry));
		timer_stop(&quota->retry);
		quota->retry.on_time(quota);
	}
	ck_assert_uint_eq(test.rooms, 0);
	ck_assert_uint_eq(quota->waits, 1);
	ck_assert_int_eq(quota->lack, OWNER_QUOTA_OTHERS);
	fake_sendmsg_error = 0;
	quota->retry.on_time(quota);
	ck_assert_uint_eq(quota->since_ms, 0);
	test_worker_await(&test, &test.rooms, 1);
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	test_worker_done(&test);
}
END_TEST

/* Each connection without a receipt is open in the engine. */
START_TEST(duplicates_have_a_share_too)
{
	unsigned int count = 0;

	init(WORKER_RECEIPTED);
	owner_quota_count(quota);
	limit(24);
	quota->allowance = 0;
	while (worker_has_room(test.worker, &test.endpoint)) {
		test_worker_send(&test, 1);
		test_worker_expect(&test, count, 1);
		ck_assert_uint_lt(++count, 12);
	}
	ck_assert_uint_ge(count, 4);
	ck_assert_int_eq(quota->lack, OWNER_QUOTA_HELD);
	ck_assert_uint_eq(quota->held, count);
	unreceipted_release(&test.worker->unreceipted);
	limit(24);
	quota->retry.on_time(quota);
	ck_assert(worker_has_room(test.worker, &test.endpoint));
	test_worker_done(&test);
}
END_TEST

START_TEST(a_worker_that_reads_need_not_wait_long)
{
	init(WORKER_PLAIN);
	owner_quota_hasten(quota);
	ck_assert(!timer_is_set(&quota->retry));
	fake_sendmsg_error = ETOOMANYREFS;
	owner_quota_on_refused(quota);
	quota->retry.on_time(quota);
	ck_assert_uint_gt(quota->delay_us, 10000);
	owner_quota_hasten(quota);
	ck_assert_uint_eq(quota->delay_us, 10000);
	fake_sendmsg_error = 0;
	test_worker_done(&test);
}
END_TEST

START_TEST(mailboxes_have_a_share_too)
{
	init(WORKER_PLAIN);
	ck_assert(owner_quotas_may_join(&test.core.quotas, geteuid()));
	quota->worker_count = 30;
	limit(41);
	ck_assert(owner_quotas_may_join(&test.core.quotas, geteuid()));
	limit(40);
	ck_assert(!owner_quotas_may_join(&test.core.quotas, geteuid()));
	ck_assert(owner_quotas_may_join(&test.core.quotas, geteuid() + 1));
	quota->worker_count = 1;
	test_worker_done(&test);
}
END_TEST

UNIT_SUITE(owner_quota)
{
	TCase *tc = unit_case(suite, "owner quota");

	tcase_add_test(tc, what_is_unread_is_counted);
	tcase_add_test(tc, what_lacks_a_receipt_may_have_been_read);
	tcase_add_test(tc, a_worker_that_becomes_plain_has_what_it_had);
	tcase_add_test(tc, what_cannot_be_asked_any_more_is_claimed);
	tcase_add_test(tc, an_owner_without_workers_is_forgotten);
	tcase_add_loop_test(
	    tc, what_an_earlier_engine_wrote_is_believed_for_a_time, 0, 2);
	tcase_add_test(tc, an_owner_that_the_kernel_refuses_waits);
	tcase_add_test(tc, duplicates_have_a_share_too);
	tcase_add_test(tc, a_worker_that_reads_need_not_wait_long);
	tcase_add_test(tc, mailboxes_have_a_share_too);
}
