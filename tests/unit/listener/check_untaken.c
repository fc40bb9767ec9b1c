/* SPDX-License-Identifier: ISC */
/*
 * Clients that nobody takes from a lent socket, and what looking costs.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "engine/listener/untaken.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <unistd.h>

#define CLIENTS 20
#define LIMIT_MS 10000

static struct {
	struct event_base *base;
	struct untaken untaken;
	struct record_socket sock;
	int listener;
	int clients[CLIENTS];
	unsigned int told, taken; /* calls of on_change */
} test;

static void
on_change(void *owner)
{
	const struct untaken *untaken = owner;

	if (untaken->is_told)
		test.told++;
	else
		test.taken++;
}

/* Handles what has happened; true if anything had. */
static int
settle(void)
{
	event_base_loop(test.base, EVLOOP_NONBLOCK);
	return event_base_get_num_events(test.base, EVENT_BASE_COUNT_ACTIVE) ==
	    0;
}

static int
is_armed(void)
{
	return event_pending(test.untaken.arrival, EV_READ, NULL) != 0;
}

static void
take(void)
{
	int fd = accept4(test.listener, NULL, NULL, SOCK_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	close(fd);
}

/* A time passes, without looks. */
static void
pass(uint64_t ms)
{
	test.untaken.since_ms -= ms;
}

static void
look(void)
{
	test.untaken.look.on_time(test.untaken.look.owner);
}

/* Looks until it is sure. */
static void
look_closely(void)
{
	unsigned int before = test.told;

	for (int i = 0;
	     i < 1000 && test.told == before && test.untaken.since_ms != 0; i++)
		look();
}

static void
init(void)
{
	test.base = event_base_new();
	test.listener = net_listen(AF_INET);
	test.sock = (struct record_socket){.kind = RECORD_TCP};
	test.untaken = (struct untaken){.limit_ms = LIMIT_MS,
	    .on_change = on_change,
	    .owner = &test.untaken};
	test.told = test.taken = 0;
	ck_assert_int_eq(untaken_start(&test.untaken, test.base, NULL,
			     &test.sock, test.listener),
	    0);
}

static void
done(void)
{
	untaken_stop(&test.untaken);
	close(test.listener);
	event_base_free(test.base);
}

START_TEST(without_clients_nothing_wakes_it)
{
	init();
	ck_assert(settle() && is_armed());
	ck_assert(!timer_is_set(&test.untaken.look));
	done();
}
END_TEST

/* They cost one event and two looks in half a minute, not one each. */
START_TEST(clients_that_are_taken_wake_it_once)
{
	init();
	for (int i = 0; i < CLIENTS; i++) {
		test.clients[i] = net_connect(test.listener);
		settle();
		ck_assert(!is_armed());
		take();
		if (i == 0)
			look();
		ck_assert(timer_is_set(&test.untaken.look));
		ck_assert_uint_eq(test.untaken.since_ms, 0);
	}
	ck_assert_uint_eq(test.told + test.taken, 0);
	look(); /* half a minute later */
	ck_assert(is_armed());
	for (int i = 0; i < CLIENTS; i++)
		close(test.clients[i]);
	done();
}
END_TEST

START_TEST(clients_that_nobody_takes_are_told_of_once)
{
	init();
	test.clients[0] = net_connect(test.listener);
	settle();
	ck_assert_uint_ne(test.untaken.since_ms, 0);
	look();
	pass(LIMIT_MS / 2);
	look();
	ck_assert_uint_eq(test.told, 0);
	pass(LIMIT_MS / 2);
	test.clients[1] = net_connect(test.listener);
	look();
	ck_assert_uint_eq(test.told, 0);
	look_closely();
	ck_assert_uint_eq(test.told, 1);
	pass(LIMIT_MS);
	look();
	ck_assert_uint_eq(test.told, 1);
	ck_assert_uint_eq(test.taken, 0);
	take();
	look();
	ck_assert_uint_eq(test.taken, 1);
	ck_assert_uint_eq(test.untaken.since_ms, 0);
	/* The next one is told of again. */
	look();
	settle();
	ck_assert_uint_ne(test.untaken.since_ms, 0);
	pass(LIMIT_MS);
	look_closely();
	ck_assert_uint_eq(test.told, 2);
	close(test.clients[0]);
	close(test.clients[1]);
	done();
}
END_TEST

START_TEST(without_a_limit_nothing_is_told)
{
	init();
	test.untaken.limit_ms = 0;
	test.clients[0] = net_connect(test.listener);
	settle();
	pass(1000 * LIMIT_MS);
	look();
	ck_assert_uint_eq(test.told, 0);
	close(test.clients[0]);
	done();
}
END_TEST

/* It is full, or grows, at every look but a close one. */
START_TEST(a_program_that_takes_too_slowly_is_not_one_that_takes_none)
{
	init();
	for (int i = 0; i < 5; i++)
		test.clients[i] = net_connect(test.listener);
	settle();
	pass(LIMIT_MS);
	for (int i = 0; i < 3; i++) {
		look();
		close(test.clients[i]);
		take();
		test.clients[i] = net_connect(test.listener);
	}
	look();
	take();
	look_closely();
	ck_assert_uint_eq(test.told, 0);
	ck_assert_uint_eq(test.untaken.since_ms, 0);
	for (int i = 0; i < 5; i++)
		close(test.clients[i]);
	done();
}
END_TEST

/* New clients come while others are taken. */
START_TEST(a_queue_that_becomes_shorter_is_one_that_is_read)
{
	struct socket_queue queue;

	init();
	for (int i = 0; i < 3; i++)
		test.clients[i] = net_connect(test.listener);
	settle();
	take();
	pass(LIMIT_MS);
	socket_queue_ask(NULL, &test.sock, test.listener, &queue);
	ck_assert_uint_eq(queue.size, 2);
	ck_assert_uint_eq(untaken_ask(&test.untaken, &queue), 0);
	look();
	ck_assert_uint_eq(test.told, 0);
	for (int i = 0; i < 3; i++)
		close(test.clients[i]);
	done();
}
END_TEST

/* Its looks become rare. */
START_TEST(looks_come_less_and_less_often)
{
	uint64_t delay_ms = 0;

	init();
	test.clients[0] = net_connect(test.listener);
	settle();
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_ge(test.untaken.delay_ms, delay_ms);
		delay_ms = test.untaken.delay_ms;
		look();
	}
	ck_assert_uint_eq(delay_ms, UNTAKEN_REST_MS);
	close(test.clients[0]);
	done();
}
END_TEST

UNIT_SUITE(untaken)
{
	TCase *tc = unit_case(suite, "untaken");

	tcase_add_test(tc, without_clients_nothing_wakes_it);
	tcase_add_test(tc, clients_that_are_taken_wake_it_once);
	tcase_add_test(tc, clients_that_nobody_takes_are_told_of_once);
	tcase_add_test(tc, without_a_limit_nothing_is_told);
	tcase_add_test(
	    tc, a_program_that_takes_too_slowly_is_not_one_that_takes_none);
	tcase_add_test(tc, a_queue_that_becomes_shorter_is_one_that_is_read);
	tcase_add_test(tc, looks_come_less_and_less_often);
}
