/* SPDX-License-Identifier: ISC */
/*
 * Who may come, and what waits in the engine.
 */
#include "fixture/fake_clock.h"
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_listener.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "engine/listener/admission.h"
#include "engine/listener/socket_census.h"
#include "engine/pool/dispatch.h"

#include <sys/socket.h>

#include <poll.h>
#include <string.h>
#include <unistd.h>

static struct test_listener test;

/* Starts the listener with limits, of which some are set. */
static void
init(unsigned int workers, uint32_t give_up_s,
    const struct record_source *limits)
{
	test_listener_init(&test, workers, give_up_s);
	test.endpoint->record->source = *limits;
	test.endpoint->record->source.prefix[0] = 32;
	test.endpoint->record->source.prefix[1] = 64;
	test.listener->admission = admission_new(test.listener, NULL, 0);
	ck_assert_ptr_nonnull(test.listener->admission);
	listener_start(test.listener);
}

static const struct stats_listener *
stats(void)
{
	return test.listener->stats;
}

START_TEST(with_a_worker_nothing_waits)
{
	init(1, 0, &(struct record_source){.accept_ahead = 10});
	test_listener_connect(&test, 3);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 3);
	ck_assert_uint_eq(stats()->held, 0);
	ck_assert(admission_is_empty(test.listener->admission));
	test_listener_done(&test);
}
END_TEST

START_TEST(without_a_worker_as_many_wait_as_may)
{
	init(0, 0, &(struct record_source){.accept_ahead = 10});
	test_listener_connect(&test, 15);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_eq(stats()->held, 10);
	ck_assert_uint_eq(admission_sources(test.listener->admission), 1);
	ck_assert(!admission_has_room(test.listener->admission));
	ck_assert(net_polls(test.port, POLLIN));
	test_listener_done(&test);
}
END_TEST

START_TEST(who_asks_for_fairness_has_clients_refused)
{
	init(0, 0,
	    &(struct record_source){
		.flags = RECORD_SOURCE_AHEAD, .accept_ahead = 10});
	test_listener_connect(&test, 15);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_eq(stats()->held, 5);
	ck_assert_uint_eq(stats()->refused_share, 10);
	ck_assert_uint_eq(stats()->accepted, 15);
	test_listener_done(&test);
}
END_TEST

START_TEST(without_accept_ahead_a_worker_must_have_room)
{
	init(0, 0, &(struct record_source){.max_per_source = 3});
	test_listener_connect(&test, 2);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_eq(stats()->accepted, 0);
	test_listener_done(&test);
}
END_TEST

START_TEST(a_source_with_too_many_open_is_refused_more)
{
	init(1, 0, &(struct record_source){.max_per_source = 3});
	test_listener_connect(&test, 5);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(test_listener_received(&test, 0), 3);
	ck_assert_uint_eq(stats()->refused_open, 2);
	test_listener_done(&test);
}
END_TEST

START_TEST(what_refusing_takes_is_limited)
{
	struct effort *effort;

	init(1, 0, &(struct record_source){.max_per_source = 3});
	effort = effort_for(
	    &test.pool.core.quotas.efforts, test.pool.pool->finder.uid);
	test_listener_connect(&test, 3);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(effort->until_us, 0);
	test_listener_connect(&test, 1);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(stats()->refused_open, 1);
	ck_assert_uint_ne(effort->until_us, 0);
	effort->until_us = clock_us() + UINT64_C(3600000000);
	test_listener_connect(&test, 1);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(stats()->refused_open, 1);
	ck_assert(timer_is_set(&test.listener->timer));
	effort->until_us = 0;
	test.listener->timer.on_time(test.listener);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(stats()->refused_open, 2);
	test_listener_done(&test);
}
END_TEST

START_TEST(without_max_per_source_nothing_is_counted_as_open)
{
	const struct source_entry *source;

	init(1, 0,
	    &(struct record_source){
		.accept_ahead = 10, .rate = 3, .rate_period_s = 3600});
	test_listener_connect(&test, 5);
	test_listener_settle(&test, LISTENER_OPEN);
	ck_assert_uint_eq(stats()->refused_rate, 2);
	source = TAILQ_FIRST(&test.listener->admission->sources.recent);
	ck_assert_ptr_nonnull(source);
	ck_assert_uint_eq(source->open.count, 0);
	test_listener_done(&test);
}
END_TEST

START_TEST(what_waits_is_refused_after_give_up)
{
	init(0, 5, &(struct record_source){.accept_ahead = 10});
	test_listener_connect(&test, 4);
	test_listener_settle(&test, LISTENER_WAITING);
	test.listener->absence.since_ms -= 5000;
	test.listener->timer.on_time(test.listener);
	test_listener_settle(&test, LISTENER_REFUSING);
	ck_assert_uint_eq(stats()->held, 0);
	ck_assert_uint_eq(stats()->refused_absent, 4);
	test_listener_done(&test);
}
END_TEST

START_TEST(a_listener_that_stops_leaves_what_waits_to_its_pool)
{
	init(0, 0, &(struct record_source){.accept_ahead = 10});
	test_listener_connect(&test, 4);
	test_listener_settle(&test, LISTENER_WAITING);
	listener_stop(test.listener, NULL);
	ck_assert(admission_is_empty(test.listener->admission));
	ck_assert(dispatch_holds(test.pool.pool, test.listener->stats));
	ck_assert_uint_eq(stats()->held, 4);
	test_listener_done(&test);
}
END_TEST

START_TEST(what_waits_does_not_take_all_descriptors)
{
	init(0, 0, &(struct record_source){.accept_ahead = 1000});
	test.pool.core.reserve.first = 2 * (test.pool.core.reserve.last + 50);
	test.pool.core.reserve.last = test.pool.core.reserve.first;
	ck_assert(admission_has_room(test.listener->admission));
	test.pool.core.reserve.first = 4;
	ck_assert(!admission_has_room(test.listener->admission));
	test_listener_done(&test);
}
END_TEST

START_TEST(what_the_kernel_does_not_count_is_what_waits)
{
	init(0, 0,
	    &(struct record_source){.accept_ahead = 10, .max_per_source = 3});
	test_listener_connect(&test, 5); /* there is no netlink socket here */
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_eq(stats()->held, 3);
	ck_assert_uint_eq(stats()->refused_open, 2);
	test_listener_await_log(&test, "counts only those that wait");
	test_listener_done(&test);
}
END_TEST

START_TEST(all_listeners_together_ask_the_kernel_for_a_part_of_the_time)
{
	struct admission *admission;
	struct source_entry *source;
	struct socket_census asked;

	init(0, 0,
	    &(struct record_source){.accept_ahead = 10, .max_per_source = 3});
	admission = test.listener->admission;
	socket_census_open(&asked);
	asked.again_us = UINT64_MAX; /* others have just asked */
	test.pool.core.listeners.census = &asked;
	test_listener_connect(&test, 2);
	test_listener_settle(&test, LISTENER_WAITING);
	ck_assert_uint_eq(stats()->held, 2);
	ck_assert_uint_gt(admission->open.again_us, 0); /* the first time */
	ck_assert_uint_ne(asked.again_us, UINT64_MAX);
	source = (void *)fair_ring_next(&admission->ring);
	source->open.count = 50;
	admission->open.again_us = 1;
	asked.again_us = UINT64_MAX;
	ck_assert(open_count_exceeds(&admission->open, source));
	asked.again_us = 0;
	ck_assert(!open_count_exceeds(&admission->open, source));
	ck_assert_uint_eq(source->open.count, 2);
	ck_assert_uint_gt(asked.again_us, 0);
	socket_census_close(&asked);
	test_listener_done(&test);
}
END_TEST

UNIT_SUITE(admission)
{
	TCase *tc = unit_case(suite, "admission");

	/* On a busy machine, a census would be due between two clients. */
	fake_clock_stop_in(tc);
	tcase_add_test(tc, with_a_worker_nothing_waits);
	tcase_add_test(tc, without_a_worker_as_many_wait_as_may);
	tcase_add_test(tc, who_asks_for_fairness_has_clients_refused);
	tcase_add_test(tc, without_accept_ahead_a_worker_must_have_room);
	tcase_add_test(tc, a_source_with_too_many_open_is_refused_more);
	tcase_add_test(tc, what_refusing_takes_is_limited);
	tcase_add_test(tc, without_max_per_source_nothing_is_counted_as_open);
	tcase_add_test(tc, what_waits_is_refused_after_give_up);
	tcase_add_test(tc, a_listener_that_stops_leaves_what_waits_to_its_pool);
	tcase_add_test(tc, what_waits_does_not_take_all_descriptors);
	tcase_add_test(tc, what_the_kernel_does_not_count_is_what_waits);
	tcase_add_test(
	    tc, all_listeners_together_ask_the_kernel_for_a_part_of_the_time);
}
