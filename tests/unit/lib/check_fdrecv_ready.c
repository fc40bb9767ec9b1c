/* SPDX-License-Identifier: ISC */
/*
 * fdrecv_fd(): it is readable from the moment when there is something to do
 * until fdrecv_next() has returned that there is not, so that no receipt waits
 * for the next client.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engine;
static int ends[4];

static void
start(int count)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
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

static int
is_ready(void)
{
	return net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN);
}

static void
expect_nothing_now(void)
{
	errno = 0;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(mailbox.handoff.fd, -1);
	ck_assert(!is_ready());
}

START_TEST(it_is_readable_until_there_is_nothing_to_do)
{
	int fds[2];

	start(0);
	ck_assert(!is_ready());
	ends[0] = fake_engine_connection(&engine, &mailbox);
	ends[1] = fake_engine_connection(&engine, &mailbox);
	for (uint64_t i = 0; i < 2; i++) {
		ck_assert(is_ready());
		fake_engine_expect(&mailbox, i);
		fds[i] = mailbox.handoff.fd;
	}
	ck_assert(is_ready());
	expect_nothing_now();
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 1, 1, 0);
	expect_nothing_now();
	close(fds[0]);
	close(fds[1]);
	stop(2);
}
END_TEST

START_TEST(asked_for_late_it_knows_what_is_due)
{
	start(1);
	fake_engine_expect(&mailbox, 0);
	ck_assert(is_ready());
	close(mailbox.handoff.fd);
	expect_nothing_now();
	stop(1);
}
END_TEST

/* Their receipts are sent early, so the test does not wait for these. */
START_TEST(the_rest_of_a_batch_is_something_to_do)
{
	static const struct fake_engine_record local = {.family = AF_UNIX};
	int fds[3];

	start(0);
	for (int i = 0; i < 3; i++)
		fds[i] = engine.listener;
	fake_engine_send(&engine, &mailbox, &local, fds, 3);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert(is_ready());
		fake_engine_expect(&mailbox, i);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	}
	expect_nothing_now();
	stop(0);
}
END_TEST

START_TEST(the_end_is_something_to_do)
{
	start(1);
	ck_assert(is_ready());
	fdrecv_drain(mailbox.fdrecv);
	fake_engine_expect(&mailbox, 0);
	close(mailbox.handoff.fd);
	ck_assert(is_ready());
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, ESHUTDOWN);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	ck_assert(is_ready());
	stop(1);
}
END_TEST

START_TEST(it_is_one_descriptor_and_closed_on_exec)
{
	start(0);
	ck_assert_int_eq(fcntl(fdrecv_fd(mailbox.fdrecv), F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fdrecv_fd(mailbox.fdrecv), fdrecv_fd(mailbox.fdrecv));
	stop(0);
}
END_TEST

START_TEST(without_a_free_descriptor_there_is_none)
{
	unsigned long limit;

	start(0);
	limit = unit_limit_fds();
	errno = 0;
	ck_assert_int_eq(fdrecv_fd(mailbox.fdrecv), -1);
	ck_assert_int_eq(errno, EMFILE);
	unit_unlimit_fds(limit);
	ck_assert_int_ne(fdrecv_fd(mailbox.fdrecv), -1);
	stop(0);
}
END_TEST

/* If the sender cannot be told of a loss, the rest of the datagram stays where
 * it is. */
START_TEST(without_room_there_is_nothing_now)
{
	unsigned long limit;
	int end;

	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	end = test_mailbox_connection(&mailbox);
	ck_assert(is_ready());
	limit = unit_limit_fds();
	errno = 0;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, EAGAIN);
	unit_unlimit_fds(limit);
	ck_assert(is_ready());
	test_mailbox_expect(&mailbox, end);
	test_mailbox_close(&mailbox);
}
END_TEST

UNIT_SUITE(fdrecv_ready)
{
	TCase *tc = unit_case(suite, "fdrecv_ready");

	tcase_add_test(tc, it_is_readable_until_there_is_nothing_to_do);
	tcase_add_test(tc, asked_for_late_it_knows_what_is_due);
	tcase_add_test(tc, the_rest_of_a_batch_is_something_to_do);
	tcase_add_test(tc, the_end_is_something_to_do);
	tcase_add_test(tc, it_is_one_descriptor_and_closed_on_exec);
	tcase_add_test(tc, without_a_free_descriptor_there_is_none);
	tcase_add_test(tc, without_room_there_is_nothing_now);
}
