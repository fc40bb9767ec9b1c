/* SPDX-License-Identifier: ISC */
/*
 * Waiting for a hand-off, and leaving: what ends the wait, and what happens to
 * the hand-offs in the mailbox and to processes that share it.
 */
#include "fixture/net.h"
#include "fixture/test_mailbox.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static int spare = -1;
static volatile sig_atomic_t signals;

/* The modes of a mailbox, as a loop test counts. */
static const unsigned int modes[] = {0, FDRECV_NONBLOCK};

/* Signals come every few milliseconds.  The handler acts at the third one. */
static void
send_at_third(int number)
{
	(void)number;
	if (++signals == 3)
		test_mailbox_send(&mailbox, spare);
}

static void
make_room_at_third(int number)
{
	(void)number;
	if (++signals == 3)
		close(spare);
}

static void
drain_at_third(int number)
{
	(void)number;
	if (++signals == 3)
		fdrecv_drain(mailbox.fdrecv);
}

static void
signal_often(void (*handler)(int))
{
	const struct sigaction action = {.sa_handler = handler};
	const struct itimerval often = {{0, 5000}, {0, 5000}};

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void
signal_no_more(void)
{
	const struct itimerval never = {0};

	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	ck_assert_int_ge(signals, 3);
}

START_TEST(a_signal_does_not_end_the_wait)
{
	int ends[2];

	test_mailbox_open(&mailbox, 0);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	spare = ends[1];
	signal_often(send_at_third);
	test_mailbox_expect(&mailbox, ends[0]);
	signal_no_more();
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(a_free_descriptor_ends_the_wait_for_one)
{
	unsigned long limit;
	int end;

	test_mailbox_open(&mailbox, 0);
	end = test_mailbox_connection(&mailbox);
	spare = dup(end);
	limit = unit_limit_fds();
	signal_often(make_room_at_third);
	test_mailbox_expect(&mailbox, end);
	signal_no_more();
	unit_unlimit_fds(limit);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(draining_in_a_handler_ends_the_wait)
{
	test_mailbox_open(&mailbox, 0);
	signal_often(drain_at_third);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	signal_no_more();
	ck_assert_int_eq(mailbox.handoff.fd, -1);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(draining_takes_no_more_and_loses_nothing)
{
	int ends[2];

	test_mailbox_open(&mailbox, modes[_i]);
	ends[0] = test_mailbox_connection(&mailbox);
	ends[1] = test_mailbox_connection(&mailbox);
	errno = ENODATA;
	fdrecv_drain(mailbox.fdrecv);
	fdrecv_drain(mailbox.fdrecv);
	ck_assert_int_eq(errno, ENODATA);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 0);
	ck_assert_int_eq(net_send(mailbox.sender, "x", 1, &ends[0], 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	test_mailbox_expect(&mailbox, ends[0]);
	test_mailbox_expect(&mailbox, ends[1]);
	for (int i = 0; i < 2; i++) {
		ck_assert(net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN));
		ck_assert_int_eq(
		    fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
		ck_assert_int_eq(errno, ESHUTDOWN);
	}
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(an_empty_datagram_is_not_the_end)
{
	int ends[2];

	test_mailbox_open(&mailbox, modes[_i]);
	ck_assert_int_eq(net_send(mailbox.sender, "", 0, NULL, 0), 0);
	ends[0] = test_mailbox_connection(&mailbox);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(net_send(mailbox.sender, "", 0, NULL, 0), 0);
	ends[1] = test_mailbox_connection(&mailbox);
	ck_assert_int_eq(net_send(mailbox.sender, "", 0, NULL, 0), 0);
	fdrecv_drain(mailbox.fdrecv);
	test_mailbox_expect(&mailbox, ends[0]);
	test_mailbox_expect(&mailbox, ends[1]);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(closing_closes_what_is_in_the_mailbox_and_nothing_else)
{
	struct fdrecv_handoff taken = FDRECV_HANDOFF_INIT;
	int end, left;
	char byte;

	test_mailbox_open(&mailbox, modes[_i]);
	end = test_mailbox_connection(&mailbox);
	left = test_mailbox_connection(&mailbox);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &taken), 1);
	test_mailbox_close(&mailbox);
	ck_assert_int_eq(recv(left, &byte, 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(recv(end, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	fdrecv_done(NULL, &taken);
	ck_assert_int_eq(recv(end, &byte, 1, MSG_DONTWAIT), 0);
	close(end);
	close(left);
}
END_TEST

static void
leave(void *fdrecv)
{
	fdrecv_drain(fdrecv);
	fdrecv_close(fdrecv);
}

START_TEST(a_child_that_leaves_takes_nobody_along)
{
	test_mailbox_open(&mailbox, modes[_i]);
	unit_in_child(leave, mailbox.fdrecv);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 1);
	ck_assert(!net_polls(fdrecv_fd(mailbox.fdrecv), POLLIN | POLLRDHUP));
	test_mailbox_expect(&mailbox, test_mailbox_connection(&mailbox));
	test_mailbox_close(&mailbox);
}
END_TEST

static void
wait_in_child(void *fdrecv)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	unit_must(fdrecv_next(fdrecv, &handoff) == 0);
}

START_TEST(when_the_one_that_opened_it_leaves_all_do)
{
	pid_t children[2];

	test_mailbox_open(&mailbox, 0);
	for (int i = 0; i < 2; i++)
		children[i] = unit_fork(wait_in_child, mailbox.fdrecv);
	fdrecv_drain(mailbox.fdrecv);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(unit_reap(children[i], 0), 0);
	test_mailbox_close(&mailbox);
}
END_TEST

static void
on_sigpipe(int number)
{
	(void)number;
	signals++;
}

START_TEST(signals_are_the_programs)
{
	const struct sigaction action = {.sa_handler = on_sigpipe};
	struct sigaction before[32], after;
	sigset_t blocked;

	ck_assert_int_eq(sigaction(SIGPIPE, &action, NULL), 0);
	for (int i = 1; i < 32; i++)
		ck_assert_int_eq(sigaction(i, NULL, &before[i]), 0);
	test_mailbox_open(&mailbox, modes[_i]);
	close(test_mailbox_connection(&mailbox));
	close(mailbox.sender); /* no process has it any more */
	mailbox.sender = -1;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fdrecv_drain(mailbox.fdrecv);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	test_mailbox_close(&mailbox);
	ck_assert_int_eq(signals, 0);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &blocked), 0);
	for (int i = 1; i < 32; i++) {
		ck_assert_int_eq(sigaction(i, NULL, &after), 0);
		ck_assert(after.sa_handler == before[i].sa_handler);
		ck_assert_int_eq(sigismember(&blocked, i), 0);
	}
}
END_TEST

UNIT_SUITE(fdrecv_drain)
{
	static const int both = (int)UNIT_COUNT(modes);
	TCase *tc = unit_case(suite, "fdrecv_drain");

	tcase_add_test(tc, a_signal_does_not_end_the_wait);
	tcase_add_test(tc, a_free_descriptor_ends_the_wait_for_one);
	tcase_add_test(tc, draining_in_a_handler_ends_the_wait);
	tcase_add_loop_test(
	    tc, draining_takes_no_more_and_loses_nothing, 0, both);
	tcase_add_loop_test(tc, an_empty_datagram_is_not_the_end, 0, both);
	tcase_add_loop_test(tc,
	    closing_closes_what_is_in_the_mailbox_and_nothing_else, 0, both);
	tcase_add_loop_test(
	    tc, a_child_that_leaves_takes_nobody_along, 0, both);
	tcase_add_test(tc, when_the_one_that_opened_it_leaves_all_do);
	tcase_add_loop_test(tc, signals_are_the_programs, 0, both);
}
