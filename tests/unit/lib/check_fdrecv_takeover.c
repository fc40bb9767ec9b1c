/* SPDX-License-Identifier: ISC */
/*
 * A child whose parent has ended takes the mailbox over.  What was sent to the
 * parent comes again from the engine, and what is sent to others is theirs.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engine;
static int client;
static int parent; /* its pidfd */

/* The parent opens the mailbox and is sent a connection, which it does not
 * receive. */
static void
begin(unsigned int flags)
{
	fake_engine_mail(&mailbox, flags | FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	engine.addressee = (uint16_t)engine.hello.instance;
	client = fake_engine_connection(&engine, &mailbox);
}

/* The child's body; two of them run at the same time if two is true. */
struct family {
	void (*child)(void);
	int two;
};

static void
be_child(void (*child)(void))
{
	struct pollfd end = {.fd = parent, .events = POLLIN};

	unit_must(poll(&end, 1, 60000) == 1);
	child();
	_exit(0);
}

static void
be_parent(void *argument)
{
	const struct family *family = argument;

	begin(0);
	parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	unit_must(parent != -1);
	for (int i = 0; i <= family->two; i++)
		if (fork() == 0)
			be_child(family->child);
	_exit(0);
}

/* Runs the children of a parent that has ended. */
static void
with_dead_parent(void (*child)(void), int two)
{
	struct family family = {.child = child, .two = two};
	int status;

	fake_engine_start(&engine, 0, 11);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(unit_reap(unit_fork(be_parent, &family), 0), 0);
	for (int i = 0; i <= two; i++) {
		ck_assert_int_ne(wait(&status), -1);
		ck_assert_int_eq(status, 0);
	}
	fake_engine_stop(&engine);
}

static void
receives_one_for(uint16_t addressee, int is_received)
{
	int end;

	engine.addressee = addressee;
	end = fake_engine_connection(&engine, &mailbox);
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == is_received);
	if (is_received)
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	unit_must(net_polls(end, POLLIN));
	close(end);
}

static void
take_over(void)
{
	uint16_t parents = (uint16_t)engine.hello.instance;

	engine.conn = -1;
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	unit_must(errno == EAGAIN);
	fake_engine_hears_hello(&engine);
	unit_must(engine.hello.dead == parents);
	unit_must((uint16_t)engine.hello.instance != parents);
	fake_engine_hears(&engine, FDRECV_WIRE_UNREAD, 0, 1, 0);
	unit_must(net_polls(client, POLLIN)); /* its end of file */
	receives_one_for((uint16_t)engine.hello.instance, 1);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 1, 1, 0);
	receives_one_for(FDRECV_WIRE_TO_ANYBODY, 1);
	receives_one_for(FDRECV_WIRE_TO_UNKNOWN, 0); /* before its HELLO */
	receives_one_for(parents, 0);
	fake_engine_hears_no_hello(&engine);
	unit_must(access(unit_path("box"), F_OK) == 0);
	fdrecv_drain(mailbox.fdrecv);
	unit_must(access(unit_path("box"), F_OK) == -1);
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	unit_must(errno == ESHUTDOWN);
	fdrecv_close(mailbox.fdrecv);
}

START_TEST(a_child_takes_the_mailbox_of_a_dead_parent_over)
{
	with_dead_parent(take_over, 0);
}
END_TEST

/* The engine has hung up, since it has seen the end of the parent. */
static void
take_over_late(void)
{
	uint16_t parents = (uint16_t)engine.hello.instance;

	close(engine.conn);
	engine.conn = -1;
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	fake_engine_hears_hello(&engine);
	unit_must(engine.hello.dead == parents);
	receives_one_for((uint16_t)engine.hello.instance, 1);
	fake_engine_hears_no_hello(&engine);
}

START_TEST(a_child_says_hello_after_the_engine_has_hung_up)
{
	with_dead_parent(take_over_late, 0);
}
END_TEST

static void
drain(void)
{
	fdrecv_drain(mailbox.fdrecv);
	unit_must(access(unit_path("box"), F_OK) == -1);
	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	unit_must(errno == ESHUTDOWN);
}

START_TEST(a_child_can_drain_the_mailbox_before_it_uses_it)
{
	with_dead_parent(drain, 0);
}
END_TEST

static void
leave_it_alone(void)
{
	fdrecv_close(mailbox.fdrecv);
	unit_must(access(unit_path("box"), F_OK) == 0);
}

START_TEST(a_child_that_does_not_use_the_mailbox_leaves_it_alone)
{
	with_dead_parent(leave_it_alone, 0);
}
END_TEST

/* The one that is not the owner ends when the owner has drained. */
static void
share(void)
{
	struct pollfd box = {.fd = fdrecv_fd(mailbox.fdrecv), .events = POLLIN};

	unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0);
	fdrecv_drain(mailbox.fdrecv);
	while (fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 0 &&
	    errno == EAGAIN)
		unit_must(poll(&box, 1, 60000) == 1);
	unit_must(errno == ESHUTDOWN);
	unit_must(access(unit_path("box"), F_OK) == -1);
	fdrecv_close(mailbox.fdrecv);
}

START_TEST(of_two_children_one_is_the_owner)
{
	with_dead_parent(share, 1);
}
END_TEST

static void
share_with_parent(void *argument)
{
	(void)argument;
	engine.conn = -1;
	fake_engine_expect(&mailbox, 0); /* it was sent to the parent */
	fake_engine_hears_hello(&engine);
	unit_must(engine.hello.dead == 0);
	fdrecv_drain(mailbox.fdrecv);
	unit_must(access(unit_path("box"), F_OK) == 0);
}

START_TEST(a_child_shares_the_mailbox_of_a_live_parent)
{
	fake_engine_start(&engine, 0, 11);
	begin(0);
	unit_in_child(share_with_parent, NULL);
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
	close(client);
}
END_TEST

UNIT_SUITE(fdrecv_takeover)
{
	TCase *tc = unit_case(suite, "fdrecv_takeover");

	tcase_add_test(tc, a_child_takes_the_mailbox_of_a_dead_parent_over);
	tcase_add_test(tc, a_child_says_hello_after_the_engine_has_hung_up);
	tcase_add_test(tc, a_child_can_drain_the_mailbox_before_it_uses_it);
	tcase_add_test(
	    tc, a_child_that_does_not_use_the_mailbox_leaves_it_alone);
	tcase_add_test(tc, of_two_children_one_is_the_owner);
	tcase_add_test(tc, a_child_shares_the_mailbox_of_a_live_parent);
}
