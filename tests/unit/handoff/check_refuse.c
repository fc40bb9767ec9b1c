/* SPDX-License-Identifier: ISC */
/*
 * Refusing: what a client sees of each way to refuse it; and that no refusal
 * waits for a client for long or keeps its descriptor.
 */
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/test_refusal.h"

#include "base/clock.h"
#include "base/fd.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define REFUSALS 256       /* at once */
#define REQUEST_MOST 16384 /* bytes that are read and discarded */

START_TEST(by_close_the_client_sees_the_end)
{
	struct test_refusal test;

	test_refusal_init(&test, RECORD_CLOSE);
	test_refusal_connect(&test);
	test_refusal_start(&test);
	test_refusal_sees(&test, "", 0);
	test_refusal_done(&test);
}
END_TEST

START_TEST(by_reset_the_client_sees_a_reset)
{
	struct test_refusal test;

	test_refusal_init(&test, RECORD_RESET);
	test_refusal_connect(&test);
	test_refusal_start(&test);
	test_refusal_sees(&test, "", ECONNRESET);
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_message_arrives_whole_and_the_end_after_it)
{
	char longest[RECORD_MESSAGE_SIZE + 1] = "";
	struct test_refusal test;

	memset(longest, 'm', RECORD_MESSAGE_SIZE);
	test_refusal_init(&test, RECORD_MESSAGE);
	memcpy(test.endpoint.refuse_message, longest, RECORD_MESSAGE_SIZE);
	test.endpoint.refuse_length = RECORD_MESSAGE_SIZE;
	test_refusal_connect(&test);
	test_refusal_start(&test);
	test_refusal_sees(&test, longest, 0);
	test_refusal_settle(&test);
	ck_assert(
	    test_refusal_is_kept(&test)); /* until the client ends it too */
	ck_assert_int_eq(shutdown(test.client, SHUT_WR), 0);
	test_refusal_run(&test);
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_request_is_read_away_so_that_no_reset_overtakes_the_message)
{
	static const char request[6000] = "GET / HTTP/1.0\r\n";
	struct test_refusal test;

	test_refusal_init(&test, RECORD_MESSAGE);
	test_refusal_connect(&test);
	/* Before and after the refusal. */
	ck_assert_int_eq(write(test.client, request, 6000), 6000);
	test_refusal_await(&test, POLLIN);
	test_refusal_start(&test);
	test_refusal_settle(&test);
	ck_assert_int_eq(write(test.client, request, 6000), 6000);
	ck_assert_int_eq(shutdown(test.client, SHUT_WR), 0);
	test_refusal_run(&test);
	test_refusal_sees(&test, TEST_REFUSAL_MESSAGE, 0);
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_client_that_does_not_end_has_one_second)
{
	const struct timeval more = {1, 500000};
	struct test_refusal test;
	uint64_t begin_ms;

	test_refusal_init(&test, RECORD_MESSAGE);
	test_refusal_connect(&test);
	test_refusal_start(&test);
	/* Timers fire in order, however late on a busy machine. */
	ck_assert_int_eq(event_base_loopexit(test.base, &more), 0);
	begin_ms = clock_ms();
	while (test_refusal_is_kept(&test) && !event_base_got_exit(test.base))
		event_base_loop(test.base, EVLOOP_ONCE);
	ck_assert(!test_refusal_is_kept(&test));
	/* libevent's clock is a coarse one. */
	ck_assert_uint_ge(clock_ms() - begin_ms, 980);
	test_refusal_sees(&test, TEST_REFUSAL_MESSAGE, 0);
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_client_that_sends_without_end_is_cut_off)
{
	static const char request[REQUEST_MOST];
	struct test_refusal test;

	test_refusal_init(&test, RECORD_MESSAGE);
	test_refusal_pair(&test, SOCK_STREAM);
	test_refusal_start(&test);
	ck_assert_int_eq(
	    write(test.client, request, REQUEST_MOST - 1), REQUEST_MOST - 1);
	test_refusal_settle(&test);
	ck_assert(test_refusal_is_kept(&test));
	ck_assert_int_eq(write(test.client, request, 1), 1);
	test_refusal_settle(&test);
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_client_that_resets_is_let_go)
{
	struct test_refusal test;

	test_refusal_init(&test, RECORD_MESSAGE);
	test_refusal_connect(&test);
	if (_i == 1)
		test_refusal_start(&test);
	net_reset(test.client);
	test.client = -1;
	test_refusal_await(&test, POLLHUP);
	if (_i == 1)
		test_refusal_settle(&test);
	else
		test_refusal_start(&test);
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_client_that_reads_nothing_holds_nobody_up)
{
	static const char filling[65536];
	struct test_refusal test;

	test_refusal_init(&test, RECORD_MESSAGE);
	test_refusal_pair(&test, SOCK_STREAM);
	while (send(test.server, filling, sizeof(filling), MSG_DONTWAIT) > 0)
		continue;
	ck_assert_int_eq(fcntl(test.server, F_GETFL) & O_NONBLOCK, 0);
	test_refusal_start(&test);
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_message_on_a_local_socket_arrives_too)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
	struct test_refusal test;

	test_refusal_init(&test, RECORD_MESSAGE);
	test_refusal_pair(&test, types[_i]);
	test_refusal_start(&test);
	test_refusal_sees(&test, TEST_REFUSAL_MESSAGE, 0);
	ck_assert(test_refusal_is_kept(&test));
	ck_assert_int_eq(shutdown(test.client, SHUT_WR), 0);
	test_refusal_settle(&test); /* at once, not by a timer */
	test_refusal_done(&test);
}
END_TEST

START_TEST(a_client_that_has_gone_raises_no_signal)
{
	struct test_refusal test;

	test_refusal_init(&test, RECORD_MESSAGE);
	test_refusal_pair(&test, SOCK_STREAM);
	test.client = fd_close(test.client);
	test_refusal_start(&test);
	test_refusal_done(&test);
}
END_TEST

START_TEST(when_too_many_are_under_way_the_oldest_is_closed)
{
	static int clients[REFUSALS];
	struct test_refusal test;

	test_refusal_init(&test, RECORD_MESSAGE);
	for (size_t i = 0; i < REFUSALS; i++) {
		test_refusal_pair(&test, SOCK_STREAM);
		test_refusal_start(&test);
		ck_assert(test_refusal_is_kept(&test));
		clients[i] = test.client;
	}
	test_refusal_pair(&test, SOCK_STREAM);
	test_refusal_start(&test);
	ck_assert(test_refusal_is_kept(&test));
	test_refusal_sees(&test, TEST_REFUSAL_MESSAGE, 0);
	ck_assert_uint_eq(test.refusals.count, REFUSALS);
	ck_assert_int_eq(send(clients[0], "", 1, MSG_NOSIGNAL), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(write(clients[1], "", 1), 1);
	/* One that ends makes room; the end of all refusals closes the
	 * others. */
	close(clients[0]);
	close(clients[1]);
	test_refusal_settle(&test);
	ck_assert_uint_eq(test.refusals.count, REFUSALS - 1);
	refuse_done(&test.refusals);
	test_refusal_done(&test);
	for (size_t i = 2; i < REFUSALS; i++)
		close(clients[i]);
}
END_TEST

/* Closed at once, drained, or closed in the end. */
START_TEST(what_a_local_client_has_sent_holds_nobody_up)
{
	struct test_refusal test;
	int listener;

	test_refusal_init(&test, _i == 0 ? RECORD_CLOSE : RECORD_MESSAGE);
	test_refusal_pair(&test, SOCK_STREAM);
	listener = net_strand(test.client);
	test_refusal_start(&test);
	if (_i == 1)
		test_refusal_settle(&test);
	if (_i != 0)
		refuse_done(&test.refusals);
	test_refusal_done(&test);
	close(listener);
}
END_TEST

UNIT_SUITE(refuse)
{
	TCase *tc = unit_case(suite, "refuse");

	tcase_add_test(tc, by_close_the_client_sees_the_end);
	tcase_add_test(tc, by_reset_the_client_sees_a_reset);
	tcase_add_test(tc, a_message_arrives_whole_and_the_end_after_it);
	tcase_add_test(
	    tc, a_request_is_read_away_so_that_no_reset_overtakes_the_message);
	tcase_add_test(tc, a_client_that_does_not_end_has_one_second);
	tcase_add_test(tc, a_client_that_sends_without_end_is_cut_off);
	tcase_add_loop_test(tc, a_client_that_resets_is_let_go, 0, 2);
	tcase_add_test(tc, a_client_that_reads_nothing_holds_nobody_up);
	tcase_add_loop_test(tc, a_message_on_a_local_socket_arrives_too, 0, 2);
	tcase_add_test(tc, a_client_that_has_gone_raises_no_signal);
	tcase_add_loop_test(
	    tc, what_a_local_client_has_sent_holds_nobody_up, 0, 3);
	tcase_add_test(tc, when_too_many_are_under_way_the_oldest_is_closed);
}
