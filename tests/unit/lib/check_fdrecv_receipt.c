/* SPDX-License-Identifier: ISC */
/*
 * When the receipt of a hand-off is sent: when the application calls the
 * library again, by any function, and never twice.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define FIRST 40 /* sequence number */

static struct test_mailbox mailbox;
static struct fake_engine engine;
static int ends[8];

/* A mailbox of a running engine, with count connections in it. */
static void
start(unsigned int flags, int count)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, flags);
	fake_engine_hears_hello(&engine);
	engine.sequence = FIRST;
	for (int i = 0; i < count; i++)
		ends[i] = fake_engine_connection(&engine, &mailbox);
}

static void
stop(int count)
{
	fake_engine_stop(&engine);
	for (int i = 0; i < count; i++)
		close(ends[i]);
}

static void
hears_taken(uint64_t sequence)
{
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, sequence, 1, 0);
	fake_engine_hears_nothing(&engine);
}

START_TEST(the_next_call_confirms_the_one_before)
{
	int fds[2];

	start(FDRECV_NONBLOCK, 2);
	for (uint64_t i = 0; i < 2; i++) {
		fake_engine_expect(&mailbox, FIRST + i);
		fds[i] = mailbox.handoff.fd;
		if (i == 0)
			fake_engine_hears_nothing(&engine);
	}
	hears_taken(FIRST);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, EAGAIN);
	hears_taken(FIRST + 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	test_mailbox_close(&mailbox);
	fake_engine_hears_the_end(&engine);
	close(fds[0]);
	close(fds[1]);
	stop(2);
}
END_TEST

START_TEST(done_confirms_and_closes)
{
	start(0, 2);
	for (uint64_t i = 0; i < 2; i++) {
		fake_engine_expect(&mailbox, FIRST + i);
		errno = ENODATA;
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		ck_assert_int_eq(errno, ENODATA);
		ck_assert_int_eq(mailbox.handoff.fd, -1);
		hears_taken(FIRST + i);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
		fake_engine_hears_nothing(&engine);
	}
	test_mailbox_close(&mailbox);
	fake_engine_hears_the_end(&engine);
	stop(2);
}
END_TEST

/* It is sent early without a request. */
START_TEST(a_receipt_by_itself_confirms_at_once)
{
	start(FDRECV_NONBLOCK, 1);
	fake_engine_expect(&mailbox, FIRST);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	hears_taken(FIRST);
	ck_assert(mailbox.handoff.receipted);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_ne(mailbox.handoff.fd, -1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_engine_hears_nothing(&engine);
	test_mailbox_close(&mailbox);
	fake_engine_hears_the_end(&engine);
	stop(1);
}
END_TEST

START_TEST(closing_the_mailbox_confirms_the_last)
{
	int kept;

	start(0, 2);
	fake_engine_expect(&mailbox, FIRST);
	kept = mailbox.handoff.fd;
	test_mailbox_close(&mailbox);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, FIRST, 1, 0);
	fake_engine_hears_the_end(&engine);
	close(kept);
	stop(2);
}
END_TEST

START_TEST(draining_confirms_nothing_by_itself)
{
	start(0, 2);
	fake_engine_expect(&mailbox, FIRST);
	fdrecv_drain(mailbox.fdrecv);
	fake_engine_hears_nothing(&engine);
	close(mailbox.handoff.fd);
	fake_engine_expect(&mailbox, FIRST + 1);
	hears_taken(FIRST);
	close(mailbox.handoff.fd);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, ESHUTDOWN);
	hears_taken(FIRST + 1);
	test_mailbox_close(&mailbox);
	stop(2);
}
END_TEST

START_TEST(by_hand_in_whatever_order)
{
	struct fdrecv_handoff all[4] = {FDRECV_HANDOFF_INIT,
	    FDRECV_HANDOFF_INIT, FDRECV_HANDOFF_INIT, FDRECV_HANDOFF_INIT};

	start(FDRECV_MANUAL_RECEIPT | FDRECV_NONBLOCK, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &all[i]), 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_engine_hears_nothing(&engine);
	fdrecv_receipt(mailbox.fdrecv, &all[2]);
	hears_taken(FIRST + 2);
	fdrecv_done(mailbox.fdrecv, &all[0]);
	hears_taken(FIRST);
	fdrecv_done(mailbox.fdrecv, &all[2]);
	fdrecv_done(mailbox.fdrecv, &all[0]);
	fdrecv_receipt(mailbox.fdrecv, &all[2]);
	fdrecv_receipt(mailbox.fdrecv, &all[0]);
	fake_engine_hears_nothing(&engine);
	fdrecv_receipt(mailbox.fdrecv, &all[1]);
	hears_taken(FIRST + 1);
	test_mailbox_close(&mailbox); /* the last one was never confirmed */
	fake_engine_hears_the_end(&engine);
	close(all[1].fd);
	close(all[3].fd);
	stop(4);
}
END_TEST

/* It could not be seen later whether somebody touched it. */
START_TEST(of_a_local_connection_before_it_is_handed_out)
{
	static const struct fake_engine_record local = {.family = AF_UNIX};

	start(
	    _i == 0 ? FDRECV_NONBLOCK : FDRECV_NONBLOCK | FDRECV_MANUAL_RECEIPT,
	    0);
	fake_engine_send(&engine, &mailbox, &local, &engine.listener, 1);
	fake_engine_expect(&mailbox, FIRST);
	hears_taken(FIRST);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	test_mailbox_close(&mailbox);
	fake_engine_hears_the_end(&engine);
	stop(0);
}
END_TEST

static const uint16_t lent[] = {FDRECV_WIRE_LISTENER, FDRECV_WIRE_DATAGRAM};

START_TEST(of_a_lent_socket_there_is_none)
{
	const struct fake_engine_record record = {.kind = lent[_i]};

	start(FDRECV_NONBLOCK, 0);
	fake_engine_send(&engine, &mailbox, &record, &engine.listener, 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 1);
	ck_assert_int_eq(mailbox.handoff.kind, lent[_i]);
	ck_assert_uint_eq(mailbox.handoff.epoch, 0);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	test_mailbox_close(&mailbox);
	fake_engine_hears_the_end(&engine);
	stop(0);
}
END_TEST

/* The engine dies before the receipt: nothing fails, no signal is raised, and
 * the next engine does not get it. */
START_TEST(a_dead_engine_needs_none)
{
	start(FDRECV_NONBLOCK, 1);
	fake_engine_expect(&mailbox, FIRST);
	fake_engine_stop(&engine);
	fake_engine_start(&engine, 0, 12);
	engine.sequence = FIRST;
	ends[1] = fake_engine_connection(&engine, &mailbox);
	errno = ENODATA;
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(errno, ENODATA);
	fake_engine_expect(&mailbox, FIRST);
	fake_engine_hears_hello(&engine);
	fake_engine_hears_nothing(&engine);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	hears_taken(FIRST);
	test_mailbox_close(&mailbox);
	stop(2);
}
END_TEST

/* The engine's buffer is full of receipts: the worker continues to serve. */
START_TEST(an_engine_that_does_not_read_holds_up_nobody)
{
	int sent;

	start(FDRECV_NONBLOCK, 0);
	for (sent = 0; sent < 1000; sent++) {
		ends[0] = fake_engine_connection(&engine, &mailbox);
		fake_engine_expect(&mailbox, FIRST + (uint64_t)sent);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		close(ends[0]);
	}
	ck_assert(net_polls(engine.conn, POLLIN));
	ck_assert(!net_polls(engine.conn, POLLHUP | POLLRDHUP));
	for (uint64_t i = 0; i < 64; i++)
		fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, FIRST + i, 1, 0);
	test_mailbox_close(&mailbox);
	stop(0);
}
END_TEST

/* The mailbox is closed, but the connection is not. */
START_TEST(done_after_the_end_of_the_mailbox_closes)
{
	char byte;

	start(0, 1);
	fake_engine_expect(&mailbox, FIRST);
	test_mailbox_close(&mailbox);
	ck_assert_int_eq(recv(ends[0], &byte, 1, MSG_DONTWAIT), -1);
	fdrecv_receipt(NULL, &mailbox.handoff);
	fdrecv_done(NULL, &mailbox.handoff);
	ck_assert_int_eq(recv(ends[0], &byte, 1, MSG_DONTWAIT), 0);
	stop(1);
}
END_TEST

UNIT_SUITE(fdrecv_receipt)
{
	TCase *tc = unit_case(suite, "fdrecv_receipt");

	tcase_add_test(tc, the_next_call_confirms_the_one_before);
	tcase_add_test(tc, done_confirms_and_closes);
	tcase_add_test(tc, a_receipt_by_itself_confirms_at_once);
	tcase_add_test(tc, closing_the_mailbox_confirms_the_last);
	tcase_add_test(tc, draining_confirms_nothing_by_itself);
	tcase_add_test(tc, by_hand_in_whatever_order);
	tcase_add_loop_test(
	    tc, of_a_local_connection_before_it_is_handed_out, 0, 2);
	tcase_add_loop_test(
	    tc, of_a_lent_socket_there_is_none, 0, (int)UNIT_COUNT(lent));
	tcase_add_test(tc, a_dead_engine_needs_none);
	tcase_add_test(tc, an_engine_that_does_not_read_holds_up_nobody);
	tcase_add_test(tc, done_after_the_end_of_the_mailbox_closes);
}
