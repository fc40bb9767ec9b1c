/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: the answer of a program that has ended arrives.
 */
#include "exec/lingering.h"
#include "fixture/fake_clock.h"
#include "fixture/unit.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

static struct lingering lingering;

/* Adds a connection whose program wrote "a" and ended. */
static int
add(void)
{
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(write(ends[1], "a", 1), 1);
	lingering_add(&lingering, ends[1]);
	return ends[0];
}

/* The client has the answer and the end of file, and no error. */
static void
check_answer(int client)
{
	char byte;

	ck_assert_int_eq(recv(client, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(recv(client, &byte, 1, MSG_DONTWAIT), 0);
}

static int
is_closed(int client)
{
	return send(client, "b", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == -1 &&
	    errno == EPIPE;
}

START_TEST(a_client_that_still_sends_gets_the_answer)
{
	int client;

	lingering_init(&lingering);
	client = add();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(send(client, "b", 1, MSG_NOSIGNAL), 1);
		lingering_continue(&lingering);
	}
	ck_assert_uint_eq(lingering.count, 1);
	check_answer(client);
	close(client);
	lingering_continue(&lingering);
	ck_assert_uint_eq(lingering.count, 0);
	ck_assert_int_eq(lingering_left_ms(&lingering), -1);
	lingering_done(&lingering);
}
END_TEST

/* A copy of a connection that was closed may still be in epoll. */
START_TEST(one_that_is_not_there_is_passed_over)
{
	struct epoll_event event = {.events = EPOLLOUT};
	int client;

	lingering_init(&lingering);
	client = add();
	event.data.fd = client;
	ck_assert_int_eq(
	    epoll_ctl(lingering.epoll, EPOLL_CTL_ADD, client, &event), 0);
	lingering_continue(&lingering);
	ck_assert_uint_eq(lingering.count, 1);
	close(client);
	lingering_continue(&lingering);
	ck_assert_uint_eq(lingering.count, 0);
	lingering_done(&lingering);
}
END_TEST

START_TEST(unread_data_of_a_client_that_ended_is_dropped)
{
	int ends[2];

	lingering_init(&lingering);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(write(ends[1], "a", 1), 1);
	ck_assert_int_eq(write(ends[0], "b", 1), 1);
	ck_assert_int_eq(shutdown(ends[0], SHUT_WR), 0);
	lingering_add(&lingering, ends[1]);
	ck_assert_uint_eq(lingering.count, 0);
	check_answer(ends[0]);
	close(ends[0]);
	lingering_done(&lingering);
}
END_TEST

static void
wait_for_time(void *argument)
{
	int clients[2];

	(void)argument;
	fake_clock.stopped = 1;
	lingering_init(&lingering);
	clients[0] = add();
	unit_must(lingering_left_ms(&lingering) == 2000);
	fake_clock.passed_us += 1500000;
	clients[1] = add();
	unit_must(lingering_left_ms(&lingering) == 500);
	fake_clock.passed_us += 499000;
	lingering_continue(&lingering);
	unit_must(lingering.count == 2);
	fake_clock.passed_us += 1000;
	lingering_continue(&lingering);
	unit_must(lingering.count == 1 && is_closed(clients[0]));
	unit_must(lingering_left_ms(&lingering) == 1500);
	unit_must(!is_closed(clients[1]));
	lingering_done(&lingering);
	unit_must(is_closed(clients[1]));
}

START_TEST(a_client_that_stays_is_closed_in_time)
{
	unit_in_child(wait_for_time, NULL);
}
END_TEST

START_TEST(the_oldest_makes_room)
{
	int clients[LINGERING_MAX + 1];

	lingering_init(&lingering);
	for (int i = 0; i < LINGERING_MAX; i++)
		clients[i] = add();
	ck_assert(!is_closed(clients[0]));
	clients[LINGERING_MAX] = add();
	ck_assert(is_closed(clients[0]));
	ck_assert(!is_closed(clients[1]));
	ck_assert_uint_eq(lingering.count, LINGERING_MAX);
	lingering_done(&lingering);
	for (int i = 0; i <= LINGERING_MAX; i++)
		close(clients[i]);
}
END_TEST

UNIT_SUITE(lingering)
{
	TCase *tc = unit_case(suite, "exec_lingering");

	tcase_add_test(tc, a_client_that_still_sends_gets_the_answer);
	tcase_add_test(tc, one_that_is_not_there_is_passed_over);
	tcase_add_test(tc, unread_data_of_a_client_that_ended_is_dropped);
	tcase_add_test(tc, a_client_that_stays_is_closed_in_time);
	tcase_add_test(tc, the_oldest_makes_room);
}
