/* SPDX-License-Identifier: ISC */
/*
 * Sending to one worker: its room, and the contents of a datagram.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_worker.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "base/clock.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static int
has_room(struct test_worker *test)
{
	return worker_has_room(test->worker, &test->endpoint);
}

START_TEST(a_new_worker_has_room_for_one)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_NEW);
	ck_assert(has_room(&test));
	test_worker_put(&test, 1);
	ck_assert(!has_room(&test));
	ck_assert_int_eq(worker_send(test.worker), 0);
	ck_assert(!has_room(&test));
	ck_assert(!test_worker_is_closed(&test, 0));
	test_worker_expect(&test, 0, 1);
	ck_assert(!has_room(&test)); /* received, but not confirmed */
	test_worker_done(&test);
}
END_TEST

START_TEST(a_plain_worker_has_room_as_its_mailbox_has)
{
	unsigned int size = net_mailbox_size();
	struct test_worker test;

	if (size > TEST_WORKER_MOST) {
		unit_skip("max_dgram_qlen is too large");
		return;
	}
	test_worker_init(&test, WORKER_PLAIN);
	for (unsigned int i = 0; i < size; i++) {
		ck_assert(has_room(&test));
		test_worker_send(&test, 1);
	}
	ck_assert(!has_room(&test));
	test_worker_settle(&test);
	ck_assert_uint_eq(test.rooms, 0);
	for (unsigned int i = 0; i < size; i++)
		test_worker_expect(&test, i, 1);
	test_worker_await(&test, &test.rooms, 1);
	ck_assert(has_room(&test));
	test_worker_done(&test);
}
END_TEST

START_TEST(a_plain_worker_has_all_to_itself)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_PLAIN);
	test_worker_send(&test, 1);
	test_worker_expect(&test, 0, 1);
	ck_assert(test_worker_is_closed(&test, 0));
	ck_assert_uint_eq(test.worker->unreceipted.count, 0);
	ck_assert_uint_eq(test.stats.plain, 1);
	ck_assert_uint_eq(test.stats.handed_off, 1);
	ck_assert_uint_eq(test.stats.unreceipted, 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(a_receipted_worker_has_room_as_its_window_has)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test.worker->window.size = 3;
	test_worker_send(&test, 1);
	test_worker_put(&test, 1);
	ck_assert(has_room(&test));
	test_worker_put(&test, 1);
	ck_assert(!has_room(&test));
	test.endpoint.protocol = RECORD_PORTLISTEN;
	ck_assert(has_room(&test)); /* that gives no receipts */
	test_worker_done(&test);
}
END_TEST

/* As if the kernel had not been asked yet. */
static int
has_room_again(struct test_worker *test, enum worker_kind kind)
{
	test->worker->full = 0;
	test->worker->kind = kind;
	return has_room(test);
}

START_TEST(a_mailbox_is_asked_for_room_unless_all_was_confirmed)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test.worker->window.size = 2;
	test_worker_send(&test, 1);
	while (send(test.worker->mailbox.fd, "x", 1, MSG_DONTWAIT) == 1)
		;
	ck_assert(!has_room_again(&test, WORKER_RECEIPTED));
	unreceipted_on_taken(&test.worker->unreceipted, &test.worker->window,
	    test.worker->sequence - 1, 1, clock_us());
	ck_assert(has_room_again(&test, WORKER_RECEIPTED));
	ck_assert(!has_room_again(&test, WORKER_NEW));
	ck_assert(!has_room_again(&test, WORKER_PLAIN));
	test.endpoint.protocol = RECORD_PORTLISTEN;
	ck_assert(!has_room_again(&test, WORKER_RECEIPTED));
	test_worker_done(&test);
}
END_TEST

START_TEST(a_receipt_that_is_overdue_closes_the_window)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_send(&test, 1);
	ck_assert(has_room(&test));
	TAILQ_FIRST(&test.worker->unreceipted.list)->sent_us -= 51000;
	ck_assert(!has_room(&test));
	test_worker_done(&test);
}
END_TEST

START_TEST(a_datagram_has_room_for_so_many)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test.endpoint.window = 2 * FDRECV_WIRE_BATCH_MAX;
	test.worker->window.size = 2 * FDRECV_WIRE_BATCH_MAX;
	test_worker_put(&test, FDRECV_WIRE_BATCH_MAX - 1);
	ck_assert(has_room(&test));
	test_worker_put(&test, 1);
	ck_assert(!has_room(&test));
	ck_assert_int_eq(worker_send(test.worker), 0);
	ck_assert(has_room(&test));
	test_worker_expect(&test, 0, FDRECV_WIRE_BATCH_MAX);
	test_worker_done(&test);
}
END_TEST

START_TEST(one_that_counts_connections_has_room_for_so_many)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test.endpoint.max_connections = 5;
	test.worker->connections = 3;
	test_worker_send(&test, 1);
	test_worker_put(&test, 1);
	ck_assert(has_room(&test)); /* it does not count connections */
	test.worker->counts_connections = 1;
	ck_assert(!has_room(&test));
	test.worker->connections = 2;
	ck_assert(has_room(&test));
	test.worker->connections = 100;
	test.endpoint.max_connections = 0;
	ck_assert(has_room(&test));
	test_worker_done(&test);
}
END_TEST

START_TEST(one_that_pauses_or_leaves_or_is_full_has_no_room)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test.worker->paused = 1;
	ck_assert(!has_room(&test));
	test.worker->paused = 0;
	ck_assert(has_room(&test));
	test.worker->has_left = 1;
	ck_assert(!has_room(&test));
	test.worker->has_left = 0;
	test.worker->full = 1;
	ck_assert(!has_room(&test));
	test_worker_done(&test);
}
END_TEST

START_TEST(one_that_rests_has_room_afterwards)
{
	struct test_worker test;
	uint64_t begin_ms = clock_ms();

	test_worker_init(&test, WORKER_PLAIN);
	worker_rest(test.worker, 100000);
	ck_assert(!has_room(&test));
	test_worker_await(&test, &test.rooms, 1);
	/* libevent's clock is a coarse one. */
	ck_assert_uint_ge(clock_ms() - begin_ms, 90);
	ck_assert(has_room(&test));
	test_worker_done(&test);
}
END_TEST

START_TEST(a_batch_is_one_datagram_in_order)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_send(&test, 3);
	test_worker_send(&test, 2);
	test_worker_expect(&test, 0, 3);
	ck_assert_uint_eq(test.raw.header.count, 3);
	ck_assert_uint_eq(test.raw.header.epoch, test.core.workers.epoch);
	ck_assert_uint_eq(test.raw.header.sequence, 0);
	test_worker_expect(&test, 3, 2);
	ck_assert_uint_eq(test.raw.header.sequence, 3);
	ck_assert_uint_eq(test.worker->unreceipted.count, 5);
	ck_assert_uint_eq(test.stats.handed_off, 5);
	ck_assert_uint_eq(test.stats.unreceipted, 5);
	test_worker_done(&test);
}
END_TEST

START_TEST(portlisten_and_bare_come_alone_and_without_a_record)
{
	static const struct {
		enum record_protocol protocol;
		ssize_t size;
	} cases[] = {{RECORD_PORTLISTEN, 1}, {RECORD_BARE, 0}};
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
		test.endpoint.protocol = cases[i].protocol;
		ck_assert(!worker_is_receipted(test.worker, &test.endpoint));
		test_worker_send(&test, 1);
		test_worker_expect(&test, i, 1);
		ck_assert_int_eq(test.raw.size, cases[i].size);
		ck_assert(test_worker_is_closed(&test, i));
	}
	ck_assert_uint_eq(test.worker->unreceipted.count, 0);
	ck_assert_uint_eq(test.stats.plain, 2);
	test_worker_done(&test);
}
END_TEST

START_TEST(what_cannot_be_sent_stays_in_the_outbox)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_RECEIPTED);
	test_worker_put(&test, 2);
	close(test.mailbox);
	test.mailbox = -1;
	errno = 0;
	ck_assert_int_eq(worker_send(test.worker), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_uint_eq(test.worker->outbox_count, 2);
	ck_assert_uint_eq(test.worker->unreceipted.count, 0);
	ck_assert(!TAILQ_FIRST(&test.worker->outbox)->sent);
	ck_assert_uint_eq(test.stats.handed_off, 0);
	test_worker_done(&test);
}
END_TEST

START_TEST(what_a_worker_is_known_to_be_it_is_at_once)
{
	static const enum persistent_flags kinds[] = {
	    PERSISTENT_PLAIN, PERSISTENT_RECEIPTED, PERSISTENT_SHARED};
	struct test_worker test;
	struct mailbox mailbox;
	struct worker *again;

	test_worker_init(&test, WORKER_NEW);
	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	ck_assert_int_eq(mailbox_connect(&mailbox), 0);
	persistent_note(
	    test.core.persistent, mailbox.device, mailbox.inode, kinds[_i]);
	again = worker_new(
	    &test.core.workers, "box", &mailbox, test.worker->callbacks, &test);
	ck_assert_ptr_nonnull(again);
	ck_assert_int_eq(again->kind, _i == 1 ? WORKER_NEW : WORKER_PLAIN);
	ck_assert_int_eq(again->hello_expected, _i == 1);
	ck_assert_int_eq(again->shared, _i == 2);
	worker_free(again);
	test_worker_done(&test);
}
END_TEST

START_TEST(nothing_cuts_a_rest_short)
{
	struct test_worker test;

	test_worker_init(&test, WORKER_PLAIN);
	while (send(test.worker->mailbox.fd, "x", 1, MSG_DONTWAIT) == 1)
		;
	ck_assert(!has_room(&test)); /* until it is writable */
	worker_rest(test.worker, 10000000);
	while (recv(test.mailbox, &(char){0}, 1, MSG_DONTWAIT) == 1)
		;
	worker_wake(test.worker);
	test_worker_settle(&test);
	ck_assert_uint_eq(test.rooms, 0);
	ck_assert(test.worker->full);
	test_worker_done(&test);
}
END_TEST

UNIT_SUITE(worker)
{
	TCase *tc = unit_case(suite, "worker");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, a_new_worker_has_room_for_one);
	tcase_add_test(tc, a_plain_worker_has_room_as_its_mailbox_has);
	tcase_add_test(tc, a_plain_worker_has_all_to_itself);
	tcase_add_test(tc, a_receipted_worker_has_room_as_its_window_has);
	tcase_add_test(
	    tc, a_mailbox_is_asked_for_room_unless_all_was_confirmed);
	tcase_add_test(tc, a_receipt_that_is_overdue_closes_the_window);
	tcase_add_test(tc, a_datagram_has_room_for_so_many);
	tcase_add_test(tc, one_that_counts_connections_has_room_for_so_many);
	tcase_add_test(tc, one_that_pauses_or_leaves_or_is_full_has_no_room);
	tcase_add_test(tc, a_batch_is_one_datagram_in_order);
	tcase_add_test(tc, portlisten_and_bare_come_alone_and_without_a_record);
	tcase_add_test(tc, what_cannot_be_sent_stays_in_the_outbox);
	tcase_add_loop_test(
	    tc, what_a_worker_is_known_to_be_it_is_at_once, 0, 3);
	tc = unit_case(suite, "rest");
	tcase_add_test(tc, one_that_rests_has_room_afterwards);
	tcase_add_test(tc, nothing_cuts_a_rest_short);
}
