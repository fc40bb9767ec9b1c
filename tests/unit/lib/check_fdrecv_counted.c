/* SPDX-License-Identifier: ISC */
/*
 * Reports of a worker about itself: the number of connections that it serves,
 * and whether it wants more.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engine;
static int ends[8];

static void
start(unsigned int flags, int count)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, flags);
	fake_engine_hears_hello(&engine);
	for (int i = 0; i < count; i++)
		ends[i] = fake_engine_connection(&engine, &mailbox);
}

static void
stop(int count)
{
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
	for (int i = 0; i < count; i++)
		close(ends[i]);
}

/* The second form reports a number and confirms nothing. */
#define hears_taken(sequence, connections) \
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, sequence, 1, connections)
#define hears_number(connections) \
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 0, connections)

START_TEST(each_that_is_kept_counts_until_it_is_done)
{
	struct fdrecv_handoff all[3] = {
	    FDRECV_HANDOFF_INIT, FDRECV_HANDOFF_INIT, FDRECV_HANDOFF_INIT};

	start(FDRECV_COUNTED | FDRECV_NONBLOCK, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &all[i]), 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	for (uint32_t i = 0; i < 3; i++)
		hears_taken(i, i + 1);
	for (uint32_t i = 0; i < 3; i++) {
		fdrecv_done(mailbox.fdrecv, &all[i]);
		hears_number(2 - i);
		fdrecv_done(mailbox.fdrecv, &all[i]);
		fake_engine_hears_nothing(&engine);
	}
	stop(3);
}
END_TEST

START_TEST(one_that_is_done_at_once_never_counts)
{
	start(FDRECV_COUNTED | (_i == 0 ? 0 : FDRECV_MANUAL_RECEIPT), 2);
	for (uint32_t i = 0; i < 2; i++) {
		fake_engine_expect(&mailbox, i);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		hears_taken(i, 0);
	}
	fake_engine_hears_nothing(&engine);
	stop(2);
}
END_TEST

START_TEST(one_with_an_early_receipt_counts)
{
	start(FDRECV_COUNTED | (_i == 0 ? 0 : FDRECV_MANUAL_RECEIPT), 1);
	fake_engine_expect(&mailbox, 0);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	hears_taken(0, 1);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears_nothing(&engine);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	hears_number(0);
	stop(1);
}
END_TEST

START_TEST(a_local_one_counts)
{
	static const struct fake_engine_record local = {.family = AF_UNIX};

	start(FDRECV_COUNTED, 0);
	fake_engine_send(&engine, &mailbox, &local, &engine.listener, 1);
	fake_engine_expect(&mailbox, 0);
	hears_taken(0, 1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	hears_number(0);
	fake_engine_hears_nothing(&engine);
	stop(0);
}
END_TEST

START_TEST(what_wants_no_receipt_does_not_count)
{
	static const struct fake_engine_record lent = {
	    .kind = FDRECV_WIRE_LISTENER};

	start(FDRECV_COUNTED | FDRECV_NONBLOCK, 0);
	fake_engine_send(&engine, &mailbox, &lent, &engine.listener, 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	test_mailbox_expect(&mailbox, test_mailbox_connection(&mailbox));
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_engine_hears_nothing(&engine);
	stop(0);
}
END_TEST

START_TEST(a_new_engine_hears_of_the_old_ones_connections)
{
	struct fdrecv_handoff kept = FDRECV_HANDOFF_INIT;

	start(FDRECV_COUNTED | FDRECV_NONBLOCK, 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &kept), 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_engine_stop(&engine);
	fake_engine_start(&engine, 1, 12);
	ends[1] = fake_engine_connection(&engine, &mailbox);
	fake_engine_expect(&mailbox, 0);
	fake_engine_hears_hello(&engine);
	ck_assert_uint_eq(engine.hello.connections, 1);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	hears_taken(0, 2);
	fdrecv_done(mailbox.fdrecv, &kept);
	hears_number(1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	hears_number(0);
	stop(2);
}
END_TEST

START_TEST(who_does_not_count_says_so_and_no_number)
{
	start(FDRECV_NONBLOCK, 1);
	ck_assert_uint_eq(engine.hello.flags & FDRECV_WIRE_COUNTED, 0);
	fake_engine_expect(&mailbox, 0);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	hears_taken(0, 0);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears_nothing(&engine);
	stop(1);
}
END_TEST

/* While it rests, connections on their way still arrive. */
START_TEST(pausing_and_going_on_are_told)
{
	start(FDRECV_NONBLOCK, 1);
	if (_i == 1) {
		fake_engine_expect(&mailbox, 0);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		hears_taken(0, 0);
	}
	fdrecv_pause(mailbox.fdrecv);
	fake_engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
	if (_i == 0) {
		fake_engine_expect(&mailbox, 0);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		hears_taken(0, 0);
	}
	fdrecv_resume(mailbox.fdrecv);
	fake_engine_hears(&engine, FDRECV_WIRE_RESUME, 0, 0, 0);
	fake_engine_hears_nothing(&engine);
	stop(1);
}
END_TEST

START_TEST(a_later_engine_is_told_with_its_hello)
{
	struct fake_engine later;

	start(FDRECV_COUNTED, 0);
	fdrecv_pause(mailbox.fdrecv);
	fake_engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
	fake_engine_start(&later, 1, 12);
	ends[0] = fake_engine_connection(&later, &mailbox);
	fake_engine_expect(&mailbox, 0);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears_hello(&later);
	ck_assert_uint_eq(
	    later.hello.flags & (FDRECV_WIRE_COUNTED | FDRECV_WIRE_PAUSED),
	    FDRECV_WIRE_COUNTED | FDRECV_WIRE_PAUSED);
	fake_engine_hears(&later, FDRECV_WIRE_TAKEN, 0, 1, 0);
	fdrecv_resume(mailbox.fdrecv);
	fake_engine_hears(&engine, FDRECV_WIRE_RESUME, 0, 0, 0);
	fake_engine_hears(&later, FDRECV_WIRE_RESUME, 0, 0, 0);
	fake_engine_stop(&later);
	fake_engine_start(&later, 2, 13);
	ends[1] = fake_engine_connection(&later, &mailbox);
	fake_engine_expect(&mailbox, 0);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears_hello(&later);
	ck_assert_uint_eq(
	    later.hello.flags, FDRECV_WIRE_COUNTED | FDRECV_WIRE_LINK);
	fake_engine_stop(&later);
	stop(2);
}
END_TEST

START_TEST(pausing_without_an_engine_is_nothing)
{
	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	fdrecv_pause(mailbox.fdrecv);
	test_mailbox_expect(&mailbox, test_mailbox_connection(&mailbox));
	fdrecv_resume(mailbox.fdrecv);
	test_mailbox_close(&mailbox);
}
END_TEST

UNIT_SUITE(fdrecv_counted)
{
	TCase *tc = unit_case(suite, "fdrecv_counted");

	tcase_add_test(tc, each_that_is_kept_counts_until_it_is_done);
	tcase_add_loop_test(tc, one_that_is_done_at_once_never_counts, 0, 2);
	tcase_add_loop_test(tc, one_with_an_early_receipt_counts, 0, 2);
	tcase_add_test(tc, a_local_one_counts);
	tcase_add_test(tc, what_wants_no_receipt_does_not_count);
	tcase_add_test(tc, a_new_engine_hears_of_the_old_ones_connections);
	tcase_add_test(tc, who_does_not_count_says_so_and_no_number);
	tcase_add_loop_test(tc, pausing_and_going_on_are_told, 0, 2);
	tcase_add_test(tc, a_later_engine_is_told_with_its_hello);
	tcase_add_test(tc, pausing_without_an_engine_is_nothing);
}
