/* SPDX-License-Identifier: ISC */
/*
 * The loop: when it waits for events, when it pauses, and that it reads the
 * rings after each pause.
 */
#include "fixture/fake_clock.h"
#include "fixture/unit.h"

#include "engine/loop.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 100
#define STEP_US 1000 /* duration of each round */

/* A loop with one event, which is pending again after each round or pause. */
static struct setup {
	struct event_base *base;
	struct event *event;
	struct log log;
	struct coalesce_load load;
	struct receipt_ring_list rings;
	int ends[2];
	unsigned int accept; /* connections in each round */
	int more;            /* connections still wait after each round */
	int last_arrival;    /* the pause after which nothing comes, or 0 */
	int last_pause;      /* ends the loop; or 0 */
	uint32_t *written;   /* the receipts in a ring; or NULL */
	int rounds;
	int pauses;
	int news;
	int status;
} setup;

static void
arrive(void)
{
	ck_assert_int_eq(write(setup.ends[1], "a", 1), 1);
}

/* Replaces usleep() of the C library; the other tests of this program do not
 * need it to sleep. */
int
usleep(useconds_t pause_us)
{
	if (setup.base == NULL)
		return 0;
	ck_assert_int_eq(setup.load.pausing, 1);
	ck_assert_int_eq(setup.rings.watched, 1);
	ck_assert_int_eq(setup.load.more, 0);
	ck_assert(
	    pause_us == COALESCE_SHORT_US || pause_us == COALESCE_LONG_US);
	setup.pauses++;
	if (setup.last_arrival == 0 || setup.pauses <= setup.last_arrival)
		arrive();
	if (setup.pauses == setup.last_pause)
		setup.status = 0;
	return 0;
}

static void
on_event(evutil_socket_t fd, short what, void *argument)
{
	char byte;

	(void)what;
	(void)argument;
	ck_assert_int_eq(setup.load.more, 0);
	if (setup.load.pausing)
		ck_assert_int_eq(read(fd, &byte, 1), 1);
	setup.load.count.accepted += setup.accept;
	coalesce_on_event(
	    &setup.load.count, setup.load.count.accepted - setup.accept, 0);
	setup.load.more = setup.more;
	setup.rounds++;
	if (setup.written != NULL)
		++*setup.written;
	if (setup.rounds == ROUNDS)
		setup.status = 0;
}

/* Each call of the clock takes a millisecond. */
static void
start(unsigned int accept, int more)
{
	setup.accept = accept;
	setup.more = more;
	fake_clock.stopped = 1;
	fake_clock.step_us = STEP_US;
}

static void
run(void)
{
	loop_run(
	    setup.base, &setup.log, &setup.load, &setup.rings, &setup.status);
	fake_clock.stopped = 0; /* Check takes the time too */
	fake_clock.step_us = 0;
}

static void
loop_setup(void)
{
	setup = (struct setup){.status = -1};
	log_init(&setup.log, "engine", STDERR_FILENO);
	setup.base = loop_new();
	ck_assert_ptr_nonnull(setup.base);
	ck_assert_int_eq(receipt_ring_list_init(&setup.rings, setup.base), 0);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, setup.ends),
	    0);
	arrive();
	setup.event = event_new(
	    setup.base, setup.ends[0], EV_READ | EV_PERSIST, on_event, NULL);
	ck_assert_ptr_nonnull(setup.event);
	ck_assert_int_eq(event_add(setup.event, NULL), 0);
}

static void
loop_teardown(void)
{
	receipt_ring_list_done(&setup.rings);
	event_free(setup.event);
	loop_free(setup.base);
	setup.base = NULL;
	close(setup.ends[0]);
	close(setup.ends[1]);
}

START_TEST(there_is_no_pause_while_connections_come_alone)
{
	start(1, 0);
	run();
	ck_assert_int_eq(setup.rounds, ROUNDS);
	ck_assert_int_eq(setup.pauses, 0);
	ck_assert_int_eq(setup.load.pausing, 0);
}
END_TEST

START_TEST(there_is_a_pause_after_each_round_while_many_come)
{
	start(32, 0);
	run();
	ck_assert_int_eq(setup.rounds, ROUNDS);
	ck_assert_int_ge(setup.pauses, ROUNDS - 10);
	ck_assert_int_eq(setup.load.pausing, 1);
}
END_TEST

/* But there is one after a round that finds no more connections. */
START_TEST(there_is_no_pause_while_more_connections_wait)
{
	start(32, 1);
	run(); /* usleep() above checks it */
	ck_assert_int_eq(setup.rounds, ROUNDS);
	ck_assert_int_eq(setup.load.pausing, 1);
}
END_TEST

START_TEST(after_a_pause_it_does_not_wait_for_events)
{
	start(32, 0);
	setup.last_arrival = 20;
	setup.last_pause = 25;
	run();
	ck_assert_int_eq(setup.pauses, setup.last_pause);
	ck_assert_int_lt(setup.rounds, ROUNDS);
}
END_TEST

static void
on_late(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	setup.status = 0;
}

/* A loop that did not pause would call the clock thousands of times. */
START_TEST(without_a_pause_it_waits_for_events)
{
	const struct timeval late = {0, 20000};

	ck_assert_int_eq(event_del(setup.event), 0);
	ck_assert_int_eq(
	    event_base_once(setup.base, -1, EV_TIMEOUT, on_late, NULL, &late),
	    0);
	fake_clock.looks = 1000;
	run();
	ck_assert_int_gt(fake_clock.looks, 900);
	fake_clock.looks = -1;
}
END_TEST

START_TEST(it_ends_when_no_event_is_left)
{
	ck_assert_int_eq(event_del(setup.event), 0);
	run();
	ck_assert_int_eq(setup.status, -1);
}
END_TEST

static void
on_news(void *owner)
{
	struct receipt_ring *ring = owner;
	uint64_t sequence;

	ck_assert_uint_eq(receipt_ring_take(ring, &sequence), 1);
	setup.news++;
}

/* Otherwise the worker's message comes as an event. */
START_TEST(rings_are_read_after_each_round_while_it_pauses)
{
	struct receipt_ring ring = {.on_news = on_news, .owner = &ring};

	receipt_ring_offer(&ring, &setup.rings, setup.ends[0], 1);
	ck_assert_ptr_nonnull(ring.page);
	receipt_ring_expect(&ring);
	setup.written = &ring.page->count;
	start(_i == 0 ? 1 : 32, _i == 2);
	run();
	if (_i == 0)
		ck_assert_int_eq(setup.news, 0);
	else
		ck_assert_int_ge(setup.news, ROUNDS - 10);
	receipt_ring_close(&ring);
}
END_TEST

/* A pause of 100 us would take half as long again. */
START_TEST(pauses_are_exact)
{
	ck_assert_int_eq(event_del(setup.event), 0);
	ck_assert_int_eq(prctl(PR_SET_TIMERSLACK, 50000, 0, 0, 0), 0);
	run();
	ck_assert_int_eq(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1000);
}
END_TEST

START_TEST(the_environment_does_not_choose_how_it_waits)
{
	struct event_base *base;

	ck_assert_int_eq(setenv("EVENT_NOEPOLL", "1", 1), 0);
	base = loop_new();
	ck_assert_ptr_nonnull(base);
	ck_assert_str_eq(event_base_get_method(base), "epoll");
	loop_free(base);
}
END_TEST

UNIT_SUITE(loop)
{
	TCase *tc = unit_case(suite, "loop");

	tcase_add_checked_fixture(tc, loop_setup, loop_teardown);
	tcase_add_test(tc, there_is_no_pause_while_connections_come_alone);
	tcase_add_test(tc, there_is_a_pause_after_each_round_while_many_come);
	tcase_add_test(tc, there_is_no_pause_while_more_connections_wait);
	tcase_add_test(tc, after_a_pause_it_does_not_wait_for_events);
	tcase_add_test(tc, without_a_pause_it_waits_for_events);
	tcase_add_test(tc, it_ends_when_no_event_is_left);
	tcase_add_test(tc, pauses_are_exact);
	tcase_add_test(tc, the_environment_does_not_choose_how_it_waits);
	tcase_add_loop_test(
	    tc, rings_are_read_after_each_round_while_it_pauses, 0, 3);
}
