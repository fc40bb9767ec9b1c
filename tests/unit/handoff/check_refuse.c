/* SPDX-License-Identifier: ISC */
/*
 * Refusing: what the client sees of each way, and that none of them waits for
 * a client or keeps its descriptor.
 */
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/refusing.h"

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
#define REQUEST_MOST 16384 /* bytes that are read away */

START_TEST(by_close_the_client_sees_the_end)
{
	struct refusing refusing;

	refusing_init(&refusing, RECORD_CLOSE);
	refusing_connect(&refusing);
	refusing_refuse(&refusing);
	refusing_sees(&refusing, "", 0);
	refusing_done(&refusing);
}
END_TEST

START_TEST(by_reset_the_client_sees_a_reset)
{
	struct refusing refusing;

	refusing_init(&refusing, RECORD_RESET);
	refusing_connect(&refusing);
	refusing_refuse(&refusing);
	refusing_sees(&refusing, "", ECONNRESET);
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_message_arrives_whole_and_the_end_after_it)
{
	char longest[RECORD_MESSAGE_SIZE + 1] = "";
	struct refusing refusing;

	memset(longest, 'm', RECORD_MESSAGE_SIZE);
	refusing_init(&refusing, RECORD_MESSAGE);
	memcpy(refusing.endpoint.refuse_message, longest, RECORD_MESSAGE_SIZE);
	refusing.endpoint.refuse_length = RECORD_MESSAGE_SIZE;
	refusing_connect(&refusing);
	refusing_refuse(&refusing);
	refusing_sees(&refusing, longest, 0);
	refusing_settle(&refusing);
	ck_assert(refusing_is_kept(&refusing)); /* until the client ends, too */
	ck_assert_int_eq(shutdown(refusing.client, SHUT_WR), 0);
	refusing_run(&refusing);
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_request_is_read_away_so_that_no_reset_overtakes_the_message)
{
	static const char request[6000] = "GET / HTTP/1.0\r\n";
	struct refusing refusing;

	refusing_init(&refusing, RECORD_MESSAGE);
	refusing_connect(&refusing);
	/* Both before and after the refusal. */
	ck_assert_int_eq(write(refusing.client, request, 6000), 6000);
	refusing_await(&refusing, POLLIN);
	refusing_refuse(&refusing);
	refusing_settle(&refusing);
	ck_assert_int_eq(write(refusing.client, request, 6000), 6000);
	ck_assert_int_eq(shutdown(refusing.client, SHUT_WR), 0);
	refusing_run(&refusing);
	refusing_sees(&refusing, REFUSING_MESSAGE, 0);
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_client_that_does_not_end_has_one_second)
{
	const struct timeval more = {1, 500000};
	struct refusing refusing;
	uint64_t begin_ms;

	refusing_init(&refusing, RECORD_MESSAGE);
	refusing_connect(&refusing);
	refusing_refuse(&refusing);
	/* Timers fire in their order, however late a busy machine is. */
	ck_assert_int_eq(event_base_loopexit(refusing.base, &more), 0);
	begin_ms = clock_ms();
	while (
	    refusing_is_kept(&refusing) && !event_base_got_exit(refusing.base))
		event_base_loop(refusing.base, EVLOOP_ONCE);
	ck_assert(!refusing_is_kept(&refusing));
	/* libevent's clock is a coarse one. */
	ck_assert_uint_ge(clock_ms() - begin_ms, 980);
	refusing_sees(&refusing, REFUSING_MESSAGE, 0);
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_client_that_sends_without_end_is_cut_off)
{
	static const char request[REQUEST_MOST];
	struct refusing refusing;

	refusing_init(&refusing, RECORD_MESSAGE);
	refusing_pair(&refusing, SOCK_STREAM);
	refusing_refuse(&refusing);
	ck_assert_int_eq(write(refusing.client, request, REQUEST_MOST - 1),
	    REQUEST_MOST - 1);
	refusing_settle(&refusing);
	ck_assert(refusing_is_kept(&refusing));
	ck_assert_int_eq(write(refusing.client, request, 1), 1);
	refusing_settle(&refusing);
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_client_that_resets_is_let_go)
{
	struct refusing refusing;

	refusing_init(&refusing, RECORD_MESSAGE);
	refusing_connect(&refusing);
	if (_i == 1)
		refusing_refuse(&refusing);
	net_reset(refusing.client);
	refusing.client = -1;
	refusing_await(&refusing, POLLHUP);
	if (_i == 1)
		refusing_settle(&refusing);
	else
		refusing_refuse(&refusing);
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_client_that_reads_nothing_holds_nobody_up)
{
	static const char filling[65536];
	struct refusing refusing;

	refusing_init(&refusing, RECORD_MESSAGE);
	refusing_pair(&refusing, SOCK_STREAM);
	while (
	    send(refusing.server, filling, sizeof(filling), MSG_DONTWAIT) > 0)
		continue;
	ck_assert_int_eq(fcntl(refusing.server, F_GETFL) & O_NONBLOCK, 0);
	refusing_refuse(&refusing);
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_message_on_a_local_socket_arrives_too)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
	struct refusing refusing;

	refusing_init(&refusing, RECORD_MESSAGE);
	refusing_pair(&refusing, types[_i]);
	refusing_refuse(&refusing);
	refusing_sees(&refusing, REFUSING_MESSAGE, 0);
	ck_assert(refusing_is_kept(&refusing));
	ck_assert_int_eq(shutdown(refusing.client, SHUT_WR), 0);
	refusing_settle(&refusing); /* at once, not by the timer */
	refusing_done(&refusing);
}
END_TEST

START_TEST(a_client_that_has_gone_raises_no_signal)
{
	struct refusing refusing;

	refusing_init(&refusing, RECORD_MESSAGE);
	refusing_pair(&refusing, SOCK_STREAM);
	refusing.client = fd_close(refusing.client);
	refusing_refuse(&refusing);
	refusing_done(&refusing);
}
END_TEST

START_TEST(when_too_many_are_under_way_the_next_is_closed)
{
	static int clients[REFUSALS];
	struct refusing refusing;

	refusing_init(&refusing, RECORD_MESSAGE);
	for (size_t i = 0; i < REFUSALS; i++) {
		refusing_pair(&refusing, SOCK_STREAM);
		refusing_refuse(&refusing);
		ck_assert(refusing_is_kept(&refusing));
		clients[i] = refusing.client;
	}
	refusing_pair(&refusing, SOCK_STREAM);
	refusing_refuse(&refusing);
	ck_assert(!refusing_is_kept(&refusing));
	refusing_sees(&refusing, REFUSING_MESSAGE, 0);
	/* One that ends makes room; the end of all closes the others. */
	ck_assert_uint_eq(refusing.refusals.count, REFUSALS);
	close(clients[0]);
	refusing_settle(&refusing);
	ck_assert_uint_eq(refusing.refusals.count, REFUSALS - 1);
	refusals_done(&refusing.refusals);
	refusing_done(&refusing);
	for (size_t i = 1; i < REFUSALS; i++)
		close(clients[i]);
}
END_TEST

/* Closed at once, read away, or closed after all. */
START_TEST(what_a_local_client_has_sent_holds_nobody_up)
{
	struct refusing refusing;
	int listener;

	refusing_init(&refusing, _i == 0 ? RECORD_CLOSE : RECORD_MESSAGE);
	refusing_pair(&refusing, SOCK_STREAM);
	listener = net_strand(refusing.client);
	refusing_refuse(&refusing);
	if (_i == 1)
		refusing_settle(&refusing);
	if (_i != 0)
		refusals_done(&refusing.refusals);
	refusing_done(&refusing);
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
	tcase_add_test(tc, when_too_many_are_under_way_the_next_is_closed);
}
