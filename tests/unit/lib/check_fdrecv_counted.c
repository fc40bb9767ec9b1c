/* SPDX-License-Identifier: ISC */
/*
 * What a worker says of itself: how many connections it serves, and whether it
 * wants more.
 */
#include "fixture/engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <unistd.h>

static struct mail mail;
static struct engine engine;
static int ends[8];

static void
start(unsigned int flags, int count)
{
	engine_start(&engine, 0, 11);
	engine_mail(&mail, flags);
	engine_hears_hello(&engine);
	for (int i = 0; i < count; i++)
		ends[i] = engine_connection(&engine, &mail);
}

static void
stop(int count)
{
	mail_close(&mail);
	engine_stop(&engine);
	for (int i = 0; i < count; i++)
		close(ends[i]);
}

/* The second form is what tells a number and confirms nothing. */
#define hears_taken(sequence, connections) \
	engine_hears(&engine, FDRECV_WIRE_TAKEN, sequence, 1, connections)
#define hears_number(connections) \
	engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 0, connections)

START_TEST(each_that_is_kept_counts_until_it_is_done)
{
	struct fdrecv_handoff all[3] = {
	    FDRECV_HANDOFF_INIT, FDRECV_HANDOFF_INIT, FDRECV_HANDOFF_INIT};

	start(FDRECV_COUNTED | FDRECV_NONBLOCK, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fdrecv_next(mail.box, &all[i]), 1);
	ck_assert_int_eq(fdrecv_next(mail.box, &mail.handoff), 0);
	for (uint32_t i = 0; i < 3; i++)
		hears_taken(i, i + 1);
	for (uint32_t i = 0; i < 3; i++) {
		fdrecv_done(mail.box, &all[i]);
		hears_number(2 - i);
		fdrecv_done(mail.box, &all[i]);
		engine_hears_nothing(&engine);
	}
	stop(3);
}
END_TEST

START_TEST(one_that_is_done_at_once_never_counts)
{
	start(FDRECV_COUNTED | (_i == 0 ? 0 : FDRECV_MANUAL_RECEIPT), 2);
	for (uint32_t i = 0; i < 2; i++) {
		engine_expect(&mail, i);
		fdrecv_done(mail.box, &mail.handoff);
		hears_taken(i, 0);
	}
	engine_hears_nothing(&engine);
	stop(2);
}
END_TEST

START_TEST(one_with_an_early_receipt_counts)
{
	start(FDRECV_COUNTED | (_i == 0 ? 0 : FDRECV_MANUAL_RECEIPT), 1);
	engine_expect(&mail, 0);
	fdrecv_receipt(mail.box, &mail.handoff);
	hears_taken(0, 1);
	fdrecv_receipt(mail.box, &mail.handoff);
	engine_hears_nothing(&engine);
	fdrecv_done(mail.box, &mail.handoff);
	hears_number(0);
	stop(1);
}
END_TEST

START_TEST(a_local_one_counts)
{
	static const struct engine_record local = {.family = AF_UNIX};

	start(FDRECV_COUNTED, 0);
	engine_send(&engine, &mail, &local, &engine.listener, 1);
	engine_expect(&mail, 0);
	hears_taken(0, 1);
	fdrecv_done(mail.box, &mail.handoff);
	hears_number(0);
	engine_hears_nothing(&engine);
	stop(0);
}
END_TEST

START_TEST(what_wants_no_receipt_does_not_count)
{
	static const struct engine_record lent = {.kind = FDRECV_WIRE_LISTENER};

	start(FDRECV_COUNTED | FDRECV_NONBLOCK, 0);
	engine_send(&engine, &mail, &lent, &engine.listener, 1);
	ck_assert_int_eq(fdrecv_next(mail.box, &mail.handoff), 1);
	fdrecv_done(mail.box, &mail.handoff);
	mail_expect(&mail, mail_connection(&mail));
	ck_assert_int_eq(fdrecv_next(mail.box, &mail.handoff), 0);
	engine_hears_nothing(&engine);
	stop(0);
}
END_TEST

START_TEST(a_new_engine_hears_of_the_old_ones_connections)
{
	struct fdrecv_handoff kept = FDRECV_HANDOFF_INIT;

	start(FDRECV_COUNTED | FDRECV_NONBLOCK, 1);
	ck_assert_int_eq(fdrecv_next(mail.box, &kept), 1);
	ck_assert_int_eq(fdrecv_next(mail.box, &mail.handoff), 0);
	engine_stop(&engine);
	engine_start(&engine, 1, 12);
	ends[1] = engine_connection(&engine, &mail);
	engine_expect(&mail, 0);
	engine_hears_hello(&engine);
	ck_assert_uint_eq(engine.hello.connections, 1);
	fdrecv_receipt(mail.box, &mail.handoff);
	hears_taken(0, 2);
	fdrecv_done(mail.box, &kept);
	hears_number(1);
	fdrecv_done(mail.box, &mail.handoff);
	hears_number(0);
	stop(2);
}
END_TEST

START_TEST(who_does_not_count_says_so_and_no_number)
{
	start(FDRECV_NONBLOCK, 1);
	ck_assert_uint_eq(engine.hello.flags & FDRECV_WIRE_COUNTED, 0);
	engine_expect(&mail, 0);
	fdrecv_receipt(mail.box, &mail.handoff);
	hears_taken(0, 0);
	fdrecv_done(mail.box, &mail.handoff);
	engine_hears_nothing(&engine);
	stop(1);
}
END_TEST

/* While it rests, what is on its way still comes. */
START_TEST(pausing_and_going_on_are_told)
{
	start(FDRECV_NONBLOCK, 1);
	if (_i == 1) {
		engine_expect(&mail, 0);
		fdrecv_done(mail.box, &mail.handoff);
		hears_taken(0, 0);
	}
	fdrecv_pause(mail.box);
	engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
	if (_i == 0) {
		engine_expect(&mail, 0);
		fdrecv_done(mail.box, &mail.handoff);
		hears_taken(0, 0);
	}
	fdrecv_resume(mail.box);
	engine_hears(&engine, FDRECV_WIRE_RESUME, 0, 0, 0);
	engine_hears_nothing(&engine);
	stop(1);
}
END_TEST

START_TEST(a_later_engine_is_told_with_its_hello)
{
	struct engine later;

	start(FDRECV_COUNTED, 0);
	fdrecv_pause(mail.box);
	engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
	engine_start(&later, 1, 12);
	ends[0] = engine_connection(&later, &mail);
	engine_expect(&mail, 0);
	fdrecv_done(mail.box, &mail.handoff);
	engine_hears_hello(&later);
	ck_assert_uint_eq(
	    later.hello.flags, FDRECV_WIRE_COUNTED | FDRECV_WIRE_PAUSED);
	engine_hears(&later, FDRECV_WIRE_TAKEN, 0, 1, 0);
	fdrecv_resume(mail.box);
	engine_hears(&engine, FDRECV_WIRE_RESUME, 0, 0, 0);
	engine_hears(&later, FDRECV_WIRE_RESUME, 0, 0, 0);
	engine_stop(&later);
	engine_start(&later, 2, 13);
	ends[1] = engine_connection(&later, &mail);
	engine_expect(&mail, 0);
	fdrecv_done(mail.box, &mail.handoff);
	engine_hears_hello(&later);
	ck_assert_uint_eq(later.hello.flags, FDRECV_WIRE_COUNTED);
	engine_stop(&later);
	stop(2);
}
END_TEST

START_TEST(pausing_without_an_engine_is_nothing)
{
	mail_open(&mail, FDRECV_NONBLOCK);
	fdrecv_pause(mail.box);
	mail_expect(&mail, mail_connection(&mail));
	fdrecv_resume(mail.box);
	mail_close(&mail);
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
