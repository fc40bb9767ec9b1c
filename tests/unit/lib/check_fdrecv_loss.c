/* SPDX-License-Identifier: ISC */
/*
 * A worker that loses hand-offs, and what it reports if it cannot send at once.
 */
#include "fixture/fake_engine.h"
#include "fixture/fake_sendmsg.h"
#include "fixture/unit.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engine;

static void
take(int end, uint64_t sequence)
{
	fake_engine_expect(&mailbox, sequence);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	close(end);
}

/* With an engine that has the receipt of its first connection. */
static void
start(void)
{
	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	fake_engine_start(&engine, 0, 11);
	take(fake_engine_link(&engine, &mailbox), 0);
	fake_engine_reads_hello(&engine);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
}

static void
stop(void)
{
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
}

/* To the engine a hang-up would be the end of this worker. */
START_TEST(without_memory_it_does_not_hang_up)
{
	int end;

	start();
	end = fake_engine_connection(&engine, &mailbox);
	fake_sendmsg_error = ENOBUFS;
	take(end, 1);
	fake_sendmsg_error = 0;
	fake_engine_hears_nothing(&engine);
	take(fake_engine_connection(&engine, &mailbox), 2);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 2, 1, 0);
	stop();
}
END_TEST

START_TEST(a_loss_is_reported_when_there_is_memory)
{
	unsigned long limit;
	struct pollfd events;
	int end;

	start();
	events = (struct pollfd){fdrecv_fd(mailbox.fdrecv), POLLIN, 0};
	end = fake_engine_connection(&engine, &mailbox);
	limit = unit_limit_fds();
	fake_sendmsg_error = ENOBUFS;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_sendmsg_error = 0;
	unit_unlimit_fds(limit);
	fake_engine_hears_nothing(&engine);
	ck_assert_int_eq(poll(&events, 1, 0), 1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_engine_hears(&engine, FDRECV_WIRE_LIMIT, 1, 1, 0);
	ck_assert_int_eq(poll(&events, 1, 0), 0);
	close(end);
	stop();
}
END_TEST

START_TEST(a_second_loss_waits_for_the_report_of_the_first)
{
	unsigned long limit;
	int ends[2];

	start();
	ends[0] = fake_engine_connection(&engine, &mailbox);
	ends[1] = fake_engine_connection(&engine, &mailbox);
	limit = unit_limit_fds();
	fake_sendmsg_error = ENOMEM;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_sendmsg_error = 0;
	fake_engine_hears_nothing(&engine);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	unit_unlimit_fds(limit);
	fake_engine_hears(&engine, FDRECV_WIRE_LIMIT, 1, 1, 0);
	fake_engine_hears(&engine, FDRECV_WIRE_LIMIT, 2, 1, 0);
	close(ends[0]);
	close(ends[1]);
	stop();
}
END_TEST

/* A hostile one could hold up what others send.  But it is told later. */
START_TEST(an_engine_that_does_not_read_is_not_waited_for)
{
	unsigned long limit;
	struct pollfd events;
	int ends[2];

	start();
	events = (struct pollfd){fdrecv_fd(mailbox.fdrecv), POLLIN, 0};
	ends[0] = fake_engine_connection(&engine, &mailbox);
	ends[1] = fake_engine_connection(&engine, &mailbox);
	limit = unit_limit_fds();
	fake_sendmsg_error = EAGAIN;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_sendmsg_error = 0;
	unit_unlimit_fds(limit);
	ck_assert_int_eq(poll(&events, 1, 0), 0); /* there is nothing to do */
	fake_engine_hears_nothing(&engine);
	take(fake_engine_connection(&engine, &mailbox), 3);
	fake_engine_hears(&engine, FDRECV_WIRE_LIMIT, 1, 2, 0);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 3, 1, 0);
	close(ends[0]);
	close(ends[1]);
	stop();
}
END_TEST

/* To the engine it would be paused for ever. */
START_TEST(the_end_of_a_pause_is_told_later)
{
	start();
	fake_sendmsg_error = _i == 0 ? EAGAIN : ENOBUFS;
	fdrecv_pause(mailbox.fdrecv);
	fdrecv_resume(mailbox.fdrecv);
	fake_sendmsg_error = 0;
	fake_engine_hears_nothing(&engine);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_engine_hears(&engine, FDRECV_WIRE_RESUME, 0, 0, 0);
	stop();
}
END_TEST

UNIT_SUITE(fdrecv_loss)
{
	TCase *tc = unit_case(suite, "fdrecv_loss");

	tcase_add_test(tc, without_memory_it_does_not_hang_up);
	tcase_add_test(tc, a_loss_is_reported_when_there_is_memory);
	tcase_add_test(tc, a_second_loss_waits_for_the_report_of_the_first);
	tcase_add_test(tc, an_engine_that_does_not_read_is_not_waited_for);
	tcase_add_loop_test(tc, the_end_of_a_pause_is_told_later, 0, 2);
}
