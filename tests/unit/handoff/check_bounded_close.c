/* SPDX-License-Identifier: ISC */
/*
 * Closing a descriptor that another process shares or has sent does not block
 * for long.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_close.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/handoff.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct linger lingers = {1, 1000};

/* A pair of sockets; the second one has received a socket that lingers.
 * Returns the listener of that socket. */
static int
strand(int ends[2])
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	return net_strand(ends[0]);
}

START_TEST(a_close_with_a_limit_does_not_wait_for_what_a_stranger_sent)
{
	int ends[2], listener, fd;
	size_t count = 1;
	char byte;

	listener = strand(ends);
	if (_i == 1) {
		ck_assert_int_eq(
		    net_receive(ends[1], &byte, 1, &fd, &count), 1);
		fd_close(ends[1]);
		ends[1] = fd;
	}
	signal(SIGALRM, SIG_IGN); /* as it may be inherited */
	fd_limit_close(2000);
	fd_close(ends[1]);
	fd_limit_close(0);
	fd_close(ends[0]);
	fd_close(listener);
}
END_TEST

/* The limit that is in force, in microseconds, or 0. */
static long
limit_us(void)
{
	struct itimerval timer;

	ck_assert_int_eq(getitimer(ITIMER_REAL, &timer), 0);
	ck_assert_int_eq(timer.it_interval.tv_sec, 0);
	return timer.it_interval.tv_usec;
}

START_TEST(a_limit_is_lifted)
{
	fd_limit_close(2000);
	ck_assert_int_gt(limit_us(), 0);
	fd_limit_close(0);
	ck_assert_int_eq(limit_us(), 0);
}
END_TEST

/* Closes one descriptor that blocks. */
static void
close_stranded(void)
{
	int ends[2], listener = strand(ends);

	ck_assert_int_eq(bounded_close_fd(&test_close, ends[1]), -1);
	fd_close(ends[0]);
	fd_close(listener);
}

/* Once with a limit that has to be set, and once with one in force. */
START_TEST(the_engine_closes_without_waiting)
{
	for (int i = 0; i < 3; i++)
		close_stranded();
}
END_TEST

static int
compare_us(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

/* A worker can confirm at most its window at once. */
START_TEST(closes_that_would_wait_do_not_add_up)
{
	enum { COUNT = 64 };
	int ends[COUNT][2], listeners[COUNT];
	uint64_t begun_us, us[COUNT];

	for (int i = 0; i < COUNT; i++)
		listeners[i] = strand(ends[i]);
	for (int i = 0; i < COUNT; i++) {
		begun_us = clock_us();
		bounded_close_fd(&test_close, ends[i][1]);
		us[i] = clock_us() - begun_us;
		fd_close(ends[i][0]);
		fd_close(listeners[i]);
	}
	qsort(us + 1, COUNT - 1, sizeof(*us), compare_us);
	/* Not one of them would be quick; a busy machine slows many of them. */
	ck_assert_uint_lt(us[1], us[0] / 2);
}
END_TEST

/* Uses it for no time, however slow the machine is. */
static void
use(void)
{
	bounded_close_begin(&test_close);
	test_close.begun_us += 60000000;
	bounded_close_end(&test_close);
}

START_TEST(a_hundred_closes_after_one_that_waited_the_limit_is_as_before)
{
	use();
	ck_assert_int_eq(limit_us(), BOUNDED_CLOSE_US);
	bounded_close_begin(&test_close);
	test_close.begun_us -= 1000;
	bounded_close_end(&test_close);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_lt(limit_us(), BOUNDED_CLOSE_US);
		use();
	}
	ck_assert_int_eq(limit_us(), BOUNDED_CLOSE_US);
}
END_TEST

START_TEST(suspicion_outlasts_a_rest)
{
	close_stranded();
	test_close.suspect = 100;
	bounded_close_stop(&test_close);
	ck_assert_int_eq(limit_us(), 0);
	use();
	ck_assert_int_gt(limit_us(), 0);
	ck_assert_int_lt(limit_us(), BOUNDED_CLOSE_US);
}
END_TEST

START_TEST(the_limit_is_lifted_when_nothing_was_closed_for_a_while)
{
	use();
	use();
	/* It was used again, so the timer is set once more. */
	ck_assert_int_eq(event_base_loop(test_close_base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(limit_us(), BOUNDED_CLOSE_US);
	ck_assert(timer_is_set(&test_close.idle));
	ck_assert_int_eq(event_base_dispatch(test_close_base), 1);
	ck_assert_int_eq(limit_us(), 0);
	ck_assert(!timer_is_set(&test_close.idle));
	/* It starts again. */
	close_stranded();
	ck_assert_int_gt(limit_us(), 0);
}
END_TEST

START_TEST(a_limit_that_was_lifted_by_others_comes_back)
{
	use();
	fd_limit_close(0);
	bounded_close_stop(&test_close);
	use();
	ck_assert_int_eq(limit_us(), BOUNDED_CLOSE_US);
}
END_TEST

/* Takes fd, which was sent to a worker or belongs to its client. */
static void
free_handoff(struct record_endpoint *endpoint, int fd, int sent)
{
	const struct sockaddr_storage nobody = {.ss_family = AF_UNSPEC};
	struct handoff *handoff = handoff_new(&(struct handoff *){NULL},
	    endpoint, NULL, &test_close, fd, &nobody, sizeof(nobody));

	ck_assert_ptr_nonnull(handoff);
	handoff->sent = sent;
	handoff_free(handoff);
}

START_TEST(a_local_client_holds_nobody_up_with_what_it_sent)
{
	struct record_endpoint endpoint =
	    record_sample_unix(RECORD_UNIX_STREAM, "/run/x").u.endpoint;
	int ends[2], listener;

	listener = strand(ends);
	free_handoff(&endpoint, ends[1], _i);
	fd_close(ends[0]);
	fd_close(listener);
}
END_TEST

START_TEST(a_worker_holds_nobody_up_with_a_connection_that_lingers)
{
	static const char filling[65536];
	struct record_endpoint endpoint =
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 80).u.endpoint;
	struct net_pair pair;

	net_pair(&pair, AF_INET);
	while (send(pair.server, filling, sizeof(filling), MSG_DONTWAIT) > 0)
		continue;
	ck_assert_int_eq(setsockopt(pair.server, SOL_SOCKET, SO_LINGER,
			     &lingers, sizeof(lingers)),
	    0);
	free_handoff(&endpoint, fd_steal(&pair.server), 1);
	fd_close(pair.client);
	fd_close(pair.listener);
}
END_TEST

UNIT_SUITE(bounded_close)
{
	TCase *tc = unit_case(suite, "bounded close");

	test_close_add(tc);
	tcase_add_loop_test(tc,
	    a_close_with_a_limit_does_not_wait_for_what_a_stranger_sent, 0, 2);
	tcase_add_test(tc, a_limit_is_lifted);
	tcase_add_test(tc, the_engine_closes_without_waiting);
	tcase_add_test(tc, closes_that_would_wait_do_not_add_up);
	tcase_add_test(
	    tc, a_hundred_closes_after_one_that_waited_the_limit_is_as_before);
	tcase_add_test(tc, suspicion_outlasts_a_rest);
	tcase_add_test(
	    tc, the_limit_is_lifted_when_nothing_was_closed_for_a_while);
	tcase_add_test(tc, a_limit_that_was_lifted_by_others_comes_back);
	tcase_add_loop_test(
	    tc, a_local_client_holds_nobody_up_with_what_it_sent, 0, 2);
	tcase_add_test(
	    tc, a_worker_holds_nobody_up_with_a_connection_that_lingers);
}
