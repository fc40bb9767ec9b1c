/* SPDX-License-Identifier: ISC */
/*
 * Timers: each one fires once, not too early, and not after it was stopped.
 */
#include "fixture/unit.h"

#include "base/clock.h"

#include "engine/timer.h"

#include <event2/event.h>
#include <stddef.h>

static struct event_base *base;
static struct timer timer;
static unsigned int calls;

static void
on_time(void *owner)
{
	ck_assert_ptr_eq(owner, &calls);
	ck_assert(!timer_is_set(&timer));
	calls++;
}

static void
setup(void)
{
	calls = 0;
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	ck_assert_int_eq(timer_init(&timer, base, on_time, &calls), 0);
	ck_assert(!timer_is_set(&timer));
}

static void
teardown(void)
{
	timer_done(&timer);
	ck_assert_ptr_null(timer.event);
	timer_done(&timer);
	event_base_free(base);
}

/* Returns when no timer is set. */
static void
run(void)
{
	ck_assert_int_eq(event_base_dispatch(base), 1);
}

START_TEST(the_call_comes_once)
{
	uint64_t begun_us = clock_us();

	timer_set(&timer, 20000);
	ck_assert(timer_is_set(&timer));
	run();
	ck_assert_uint_eq(calls, 1);
	/* libevent's clock is a coarse one. */
	ck_assert_uint_ge(clock_us() - begun_us, 10000);
	run();
	ck_assert_uint_eq(calls, 1);
	timer_set(&timer, 0);
	run();
	ck_assert_uint_eq(calls, 2);
}
END_TEST

START_TEST(a_time_of_more_than_a_second_is_one)
{
	struct timeval now, at;

	timer_set(&timer, 3600000000 + 250000);
	ck_assert_int_eq(event_base_gettimeofday_cached(base, &now), 0);
	ck_assert_int_ne(event_pending(timer.event, EV_TIMEOUT, &at), 0);
	ck_assert_int_ge(at.tv_sec - now.tv_sec, 3599);
	ck_assert_int_le(at.tv_sec - now.tv_sec, 3601);
	/* A timer that is set again fires at its last time. */
	timer_set(&timer, 1000);
	run();
	ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(a_timer_that_was_stopped_does_not_call)
{
	timer_set(&timer, 0);
	timer_stop(&timer);
	ck_assert(!timer_is_set(&timer));
	run();
	ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(an_event_is_freed_once)
{
	struct event *event = evtimer_new(base, NULL, NULL);

	ck_assert_ptr_nonnull(event);
	timer_free_event(&event);
	ck_assert_ptr_null(event);
	timer_free_event(&event);
}
END_TEST

UNIT_SUITE(timer)
{
	TCase *tc = unit_case(suite, "timer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_call_comes_once);
	tcase_add_test(tc, a_time_of_more_than_a_second_is_one);
	tcase_add_test(tc, a_timer_that_was_stopped_does_not_call);
	tcase_add_test(tc, an_event_is_freed_once);
}
