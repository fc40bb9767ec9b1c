/* SPDX-License-Identifier: ISC */
/*
 * The control socket: the number of connections that it serves, and its end.
 */
#include "fixture/net.h"
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include "base/clock.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

#define MOST 32

static struct test_control test;

START_TEST(a_control_socket_that_is_not_open_does_nothing)
{
	static struct control control;

	control_start(&control);
	control_on_result(&control, 0, 0, "done");
	control_stop(&control);
	ck_assert_int_eq(control_is_busy(&control), 0);
	control_close(&control);
}
END_TEST

START_TEST(before_the_start_connections_wait)
{
	int fd;

	test_control_open(&test, 0, geteuid(), RECORD_NO_ID);
	fd = test_control_connect();
	test_control_settle(&test);
	ck_assert_uint_eq(test.control.peers.count, 0);
	control_start(&test.control);
	test_control_send(fd, "GET", "/v1/listeners/www");
	test_control_body(test_control_answer(&test, fd), 200);
	test_control_done(&test);
}
END_TEST

START_TEST(those_who_connect_without_end_wait)
{
	struct effort *effort = &test.control.peers.arrivals;
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	effort->until_us = clock_us() + UINT64_C(3600000000);
	close(test_control_connect());
	while (!timer_is_set(&test.control.rest))
		event_base_loop(test.pool.core.base, EVLOOP_ONCE);
	fd = test_control_connect();
	event_base_loop(test.pool.core.base, EVLOOP_NONBLOCK);
	ck_assert_uint_le(test.control.peers.count, 1);
	effort->until_us = 0;
	timer_set(&test.control.rest, 0);
	test_control_send(fd, "GET", "/v1/listeners/www");
	test_control_body(test_control_answer(&test, fd), 200);
	test_control_done(&test);
}
END_TEST

START_TEST(further_connections_wait_until_one_ends)
{
	int fds[MOST + 2];

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	for (int i = 0; i < MOST + 2; i++)
		fds[i] = test_control_connect();
	test_control_settle(&test);
	ck_assert_uint_eq(test.control.peers.count, MOST);
	for (int i = MOST + 1; i >= 0; i--) {
		test_control_send(fds[i], "GET", "/v1/listeners/www");
		if (i < MOST)
			test_control_body(
			    test_control_answer(&test, fds[i]), 200);
	}
	for (int i = MOST; i < MOST + 2; i++)
		test_control_body(test_control_answer(&test, fds[i]), 200);
	ck_assert_uint_eq(test.control.peers.count, 0);
	test_control_done(&test);
}
END_TEST

START_TEST(a_stop_drops_peers_that_have_not_asked)
{
	int silent, half, asked, late;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	silent = test_control_connect();
	half = test_control_connect();
	asked = test_control_connect();
	ck_assert_int_eq(send(half, "GET /v1/", 8, 0), 8);
	test_control_send(asked, "POST", "/v1/reload");
	while (test_control_asked(&test) == 0)
		test_control_settle(&test);
	ck_assert(control_is_busy(&test.control));
	control_stop(&test.control);
	control_stop(&test.control);
	ck_assert(net_polls(silent, POLLRDHUP) && net_polls(half, POLLRDHUP));
	ck_assert(!net_polls(asked, POLLRDHUP));
	ck_assert(control_is_busy(&test.control));
	/* Another engine accepts at the same socket. */
	late = test_control_connect();
	control_on_result(
	    &test.control, test.table.requests.count, EX_OK, "reloaded");
	test_control_is_result(
	    test_control_answer(&test, asked), 200, EX_OK, "reloaded");
	ck_assert(!control_is_busy(&test.control));
	ck_assert_uint_eq(test.control.peers.count, 0);
	close(silent);
	close(half);
	close(late);
	test_control_done(&test);
}
END_TEST

/* Until the answer has been read, its engine has to live. */
START_TEST(it_is_busy_until_an_answer_is_sent)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	ck_assert(!control_is_busy(&test.control));
	fd = test_control_connect();
	test_control_settle(&test);
	ck_assert(!control_is_busy(&test.control));
	test_control_send(fd, "GET", "/v1/listeners/www");
	while (!control_is_busy(&test.control))
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	test_control_body(test_control_answer(&test, fd), 200);
	ck_assert(!control_is_busy(&test.control));
	test_control_done(&test);
}
END_TEST

START_TEST(a_close_drops_every_peer)
{
	int silent, asked;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	silent = test_control_connect();
	asked = test_control_connect();
	test_control_send(asked, "POST", "/v1/reload");
	while (test_control_asked(&test) == 0)
		test_control_settle(&test);
	control_close(&test.control);
	ck_assert(net_polls(silent, POLLRDHUP) && net_polls(asked, POLLRDHUP));
	ck_assert(!control_is_busy(&test.control));
	control_on_result(
	    &test.control, test.table.requests.count, EX_OK, "done");
	close(silent);
	close(asked);
	test_control_done(&test);
}
END_TEST

START_TEST(an_answer_to_nobody_is_none)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = test_control_connect();
	test_control_settle(&test);
	control_on_result(
	    &test.control, test.table.requests.count, EX_OK, "done");
	test_control_settle(&test);
	ck_assert(!net_polls(fd, POLLIN));
	close(fd);
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(control)
{
	TCase *tc = unit_case(suite, "control");

	tcase_add_test(tc, a_control_socket_that_is_not_open_does_nothing);
	tcase_add_test(tc, before_the_start_connections_wait);
	tcase_add_test(tc, those_who_connect_without_end_wait);
	tcase_add_test(tc, further_connections_wait_until_one_ends);
	tcase_add_test(tc, a_stop_drops_peers_that_have_not_asked);
	tcase_add_test(tc, it_is_busy_until_an_answer_is_sent);
	tcase_add_test(tc, a_close_drops_every_peer);
	tcase_add_test(tc, an_answer_to_nobody_is_none);
}
