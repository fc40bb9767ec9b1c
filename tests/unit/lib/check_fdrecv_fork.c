/* SPDX-License-Identifier: ISC */
/*
 * fork(2) with an open mailbox: a child that uses it acts for itself, a child
 * that does not is not noticed, and the parent continues in both cases.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engine;
static int ends[4];

static void
start(unsigned int flags, int count)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, flags | FDRECV_NONBLOCK);
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

/* The parent still uses the connection that it had. */
static void
parent_goes_on(uint64_t sequence)
{
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, sequence, 1, 0);
	fake_engine_hears_nothing(&engine);
}

static void
do_nothing(void *argument)
{
	(void)argument;
}

static void
be_done(void *argument)
{
	char byte;

	(void)argument;
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	unit_must(mailbox.handoff.fd == -1);
	unit_must(recv(ends[0], &byte, 1, MSG_DONTWAIT) == -1);
}

static void
leave(void *argument)
{
	(void)argument;
	fdrecv_after_fork(mailbox.fdrecv);
}

static void
end_it(void *argument)
{
	(void)argument;
	fdrecv_drain(mailbox.fdrecv);
	fdrecv_close(mailbox.fdrecv);
}

static void (*const unheard[])(void *) = {do_nothing, be_done, leave, end_it};
static const unsigned int modes[] = {0, FDRECV_MANUAL_RECEIPT, FDRECV_COUNTED};

START_TEST(what_a_child_does_to_the_parents_is_not_heard)
{
	start(modes[_i % 3], 1);
	fake_engine_expect(&mailbox, 0);
	unit_in_child(unheard[_i / 3], NULL);
	fake_engine_hears_nothing(&engine);
	fake_engine_hears_no_hello(&engine);
	ck_assert_int_eq(access(unit_path("box"), F_OK), 0);
	parent_goes_on(0);
	ends[1] = fake_engine_connection(&engine, &mailbox);
	fake_engine_expect(&mailbox, 1);
	parent_goes_on(1);
	stop(2);
}
END_TEST

/* In a child: another HELLO, and receipts under its own name. */
static void
take_the_next(void *argument)
{
	uint64_t instance = engine.hello.instance;
	int parents = engine.conn;

	(void)argument;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 1);
	engine.conn = -1;
	fake_engine_hears_hello(&engine);
	unit_must(engine.hello.instance != instance);
	unit_must(engine.hello.weight == 100);
	unit_must(engine.hello.connections == 0);
	fake_engine_hears_no_hello(&engine);
	unit_must(mailbox.handoff.sequence == 2);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 2, 1, 1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 0, 0);
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	fake_engine_hears_nothing(&engine);
	close(engine.conn);
	engine.conn = parents;
	fake_engine_hears_nothing(&engine);
}

/* The parent holds one connection and has another one that it has not handed
 * out. */
START_TEST(a_child_that_goes_on_speaks_for_itself)
{
	static const struct fake_engine_record tcp;
	int fds[2];

	start(FDRECV_COUNTED, 0);
	fds[0] = fds[1] = engine.listener;
	fake_engine_send(&engine, &mailbox, &tcp, fds, 2);
	fake_engine_expect(&mailbox, 0);
	ends[0] = fake_engine_connection(&engine, &mailbox);
	unit_in_child(take_the_next, NULL);
	parent_goes_on(0);
	fake_engine_expect(&mailbox, 1);
	parent_goes_on(1);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_engine_hears_nothing(&engine);
	stop(1);
}
END_TEST

static void
be_done_late(void *argument)
{
	struct fdrecv_handoff parents = mailbox.handoff;

	(void)argument;
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	fake_engine_hears_hello(&engine);
	fdrecv_done(mailbox.fdrecv, &parents);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 0, 0);
	close(engine.conn);
}

START_TEST(the_parents_connections_are_not_the_childs)
{
	start(FDRECV_COUNTED, 1);
	fake_engine_expect(&mailbox, 0);
	unit_in_child(be_done_late, NULL);
	parent_goes_on(0);
	stop(1);
}
END_TEST

static void
pause_in_child(void *argument)
{
	int parents = engine.conn;

	(void)argument;
	fdrecv_pause(mailbox.fdrecv);
	engine.conn = -1;
	fake_engine_hears_hello(&engine);
	fake_engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
	close(engine.conn);
	engine.conn = parents;
	fake_engine_hears_nothing(&engine);
}

START_TEST(a_pause_is_the_childs_own)
{
	start(0, 0);
	unit_in_child(pause_in_child, NULL);
	fake_engine_hears_nothing(&engine);
	stop(0);
}
END_TEST

/* The engine that the parent knew has exited, and another one has its
 * place. */
static void
greet_once(void *argument)
{
	(void)argument;
	for (uint64_t i = 0; i < 2; i++) {
		unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 1);
		if (i == 0)
			fake_engine_hears_hello(&engine);
		fake_engine_hears_no_hello(&engine);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, i, 1, 0);
	}
	close(engine.conn);
}

START_TEST(a_child_says_hello_once_to_a_new_engine)
{
	start(0, 1);
	fake_engine_expect(&mailbox, 0);
	parent_goes_on(0);
	fake_engine_stop(&engine);
	close(ends[0]);
	fake_engine_start(&engine, 0, 12);
	for (int i = 0; i < 2; i++)
		ends[i] = fake_engine_connection(&engine, &mailbox);
	unit_in_child(greet_once, NULL);
	stop(2);
}
END_TEST

/* In a child: it has its own readiness from the beginning. */
static void
be_ready(void *argument)
{
	int fd = fdrecv_fd(mailbox.fdrecv);

	(void)argument;
	unit_must(fd != -1);
	unit_must(!net_polls(fd, POLLIN));
	ends[1] = fake_engine_connection(&engine, &mailbox);
	unit_must(net_polls(fd, POLLIN));
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 1);
	unit_must(fdrecv_fd(mailbox.fdrecv) == fd);
	unit_must(net_polls(fd, POLLIN)); /* its receipt is due */
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	unit_must(!net_polls(fd, POLLIN));
}

static void
be_ready_later(void *argument)
{
	(void)argument;
	ends[1] = fake_engine_connection(&engine, &mailbox);
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 1);
	unit_must(net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN));
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	unit_must(!net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN));
}

/* With the parent's readiness in either state. */
START_TEST(a_childs_readiness_is_its_own)
{
	int due = _i % 2;

	start(0, 1);
	ck_assert(net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN));
	fake_engine_expect(&mailbox, 0);
	if (!due) {
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		ck_assert_int_eq(
		    fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	}
	unit_in_child(_i < 2 ? be_ready : be_ready_later, NULL);
	ck_assert_int_eq(net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN), due);
	if (due)
		parent_goes_on(0);
	stop(1);
}
END_TEST

UNIT_SUITE(fdrecv_fork)
{
	TCase *tc = unit_case(suite, "fdrecv_fork");

	tcase_add_loop_test(tc, what_a_child_does_to_the_parents_is_not_heard,
	    0, (int)(UNIT_COUNT(unheard) * UNIT_COUNT(modes)));
	tcase_add_test(tc, a_child_that_goes_on_speaks_for_itself);
	tcase_add_test(tc, the_parents_connections_are_not_the_childs);
	tcase_add_test(tc, a_pause_is_the_childs_own);
	tcase_add_test(tc, a_child_says_hello_once_to_a_new_engine);
	tcase_add_loop_test(tc, a_childs_readiness_is_its_own, 0, 4);
}
