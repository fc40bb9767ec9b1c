/* SPDX-License-Identifier: ISC */
/*
 * Closing what a stranger shares or has sent: nobody waits for it.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/handoff.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct linger lingers = {1, 1000};

/* A pair of which the second end has been sent what lingers.  Returns the
 * listener that it belongs to. */
static int
strand(int ends[2])
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	return net_strand(ends[0]);
}

START_TEST(a_guarded_close_does_not_wait_for_what_a_stranger_sent)
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
	signal(SIGALRM, SIG_IGN); /* as whoever started us may have left it */
	fd_guard(2);
	fd_close(ends[1]);
	fd_guard(0);
	fd_close(ends[0]);
	fd_close(listener);
}
END_TEST

START_TEST(no_guard_is_left_behind)
{
	struct itimerval timer;

	fd_guard(2);
	ck_assert_int_eq(getitimer(ITIMER_REAL, &timer), 0);
	ck_assert_int_gt(timer.it_interval.tv_usec, 0);
	fd_guard(0);
	ck_assert_int_eq(getitimer(ITIMER_REAL, &timer), 0);
	ck_assert_int_eq(timer.it_value.tv_sec, 0);
	ck_assert_int_eq(timer.it_value.tv_usec, 0);
	ck_assert_int_eq(timer.it_interval.tv_usec, 0);
}
END_TEST

/* Once with a timer that starts, and then with one that ticks already. */
START_TEST(the_engine_closes_without_waiting)
{
	int ends[2], listener;

	for (int i = 0; i < 3; i++) {
		listener = strand(ends);
		ck_assert_int_eq(bounded_close(ends[1]), -1);
		fd_close(ends[0]);
		fd_close(listener);
	}
}
END_TEST

static int
compare_us(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

/* A worker can confirm as many at once as its window has. */
START_TEST(closes_that_would_wait_do_not_add_up)
{
	enum { COUNT = 64 };
	int ends[COUNT][2], listeners[COUNT];
	uint64_t begun_us, us[COUNT];

	for (int i = 0; i < COUNT; i++)
		listeners[i] = strand(ends[i]);
	for (int i = 0; i < COUNT; i++) {
		begun_us = clock_us();
		bounded_close(ends[i][1]);
		us[i] = clock_us() - begun_us;
		fd_close(ends[i][0]);
		fd_close(listeners[i]);
	}
	qsort(us + 1, COUNT - 1, sizeof(*us), compare_us);
	ck_assert_uint_lt(us[COUNT / 2], us[0] / 2);
}
END_TEST

START_TEST(after_a_close_that_waited_ticks_are_not_fast_for_ever)
{
	int ends[2], listener = strand(ends);
	uint64_t begun_us, us, most_us = 0;

	bounded_close(ends[1]);
	fd_close(ends[0]);
	fd_close(listener);
	/* The tick that ends it may have been under way. */
	for (int i = 0; i < 20 && most_us < BOUNDED_CLOSE_MS * 500; i++) {
		for (int use = 0; use < 1000; use++) {
			bounded_close_begin();
			bounded_close_end();
		}
		begun_us = clock_us();
		bounded_close_begin();
		ck_assert_int_eq(poll(NULL, 0, 100 * BOUNDED_CLOSE_MS), -1);
		bounded_close_end();
		us = clock_us() - begun_us;
		most_us = us > most_us ? us : most_us;
	}
	ck_assert_uint_ge(most_us, BOUNDED_CLOSE_MS * 500);
}
END_TEST

START_TEST(nothing_ticks_when_nobody_is_guarded)
{
	int count = 0;

	bounded_close_begin();
	bounded_close_end();
	/* The last tick may have come before this. */
	while (poll(NULL, 0, 10 * BOUNDED_CLOSE_MS) == -1)
		count++;
	ck_assert_int_le(count, 1);
	/* And again when somebody is. */
	bounded_close_begin();
	for (count = 0; count < 3; count++)
		ck_assert_int_eq(poll(NULL, 0, 100 * BOUNDED_CLOSE_MS), -1);
	bounded_close_end();
}
END_TEST

/* Takes fd, which was sent to a worker or is its client's. */
static void
free_handoff(struct record_endpoint *endpoint, int fd, int sent)
{
	const struct sockaddr_storage nobody = {.ss_family = AF_UNSPEC};
	struct handoff *handoff =
	    handoff_new(endpoint, NULL, fd, &nobody, sizeof(nobody));

	ck_assert_ptr_nonnull(handoff);
	handoff->sent = sent;
	handoff_free(handoff);
}

START_TEST(a_local_client_holds_nobody_up_with_what_it_sent)
{
	struct record_endpoint endpoint =
	    record_sample_unix(RECORD_UNIX_STREAM, "/run/x");
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
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 80);
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
	TCase *tc = unit_case(suite, "guard");

	tcase_add_loop_test(
	    tc, a_guarded_close_does_not_wait_for_what_a_stranger_sent, 0, 2);
	tcase_add_test(tc, no_guard_is_left_behind);
	tcase_add_test(tc, the_engine_closes_without_waiting);
	tcase_add_test(tc, closes_that_would_wait_do_not_add_up);
	tcase_add_test(
	    tc, after_a_close_that_waited_ticks_are_not_fast_for_ever);
	tcase_add_test(tc, nothing_ticks_when_nobody_is_guarded);
	tcase_add_loop_test(
	    tc, a_local_client_holds_nobody_up_with_what_it_sent, 0, 2);
	tcase_add_test(
	    tc, a_worker_holds_nobody_up_with_a_connection_that_lingers);
}
