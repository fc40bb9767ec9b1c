/* SPDX-License-Identifier: ISC */
/*
 * Workers that do not answer get nothing, and those that died are found.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/pool/vitals.h"

#include <unistd.h>

#define SECOND_US UINT64_C(1000000)

static struct test_pool test;

static size_t
outstanding(unsigned int which)
{
	const struct worker *worker = test_pool_worker(&test, which);

	return worker->outbox_count + worker->unreceipted.count;
}

START_TEST(a_late_worker_gets_nothing_while_another_one_answers)
{
	test_pool_init_receipted(&test, 2);
	test_pool_worker(&test, 0)->silence.state = SILENCE_LATE;
	ck_assert_uint_eq(test_pool_put(&test, 10), 10);
	ck_assert_uint_eq(outstanding(0), 0);
	ck_assert_uint_eq(outstanding(1), 10);
	/* Even if that one has no room just now. */
	test_pool_worker(&test, 1)->window.size = 1;
	ck_assert_uint_eq(test_pool_put(&test, 1), 0);
	test_pool_done(&test);
}
END_TEST

/* The other one drains, has paused itself, has left, or is late as well. */
START_TEST(a_late_worker_serves_where_nobody_else_does)
{
	struct worker *other;

	test_pool_init_receipted(&test, 2);
	test_pool_worker(&test, 0)->silence.state = SILENCE_LATE;
	other = test_pool_worker(&test, 1);
	other->draining = _i == 0;
	other->paused = _i == 1;
	other->has_left = _i == 2;
	if (_i == 3)
		other->silence.state = SILENCE_LATE;
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	ck_assert_uint_eq(outstanding(0), _i == 3 ? 1 : 2);
	test_pool_done(&test);
}
END_TEST

START_TEST(stuck_workers_are_no_workers_and_busy_ones_are)
{
	struct worker *worker;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	worker->silence.state = SILENCE_BUSY;
	ck_assert(pool_has_worker(test.pool));
	ck_assert_uint_eq(test_pool_put(&test, 1), 0);
	worker->silence.state = SILENCE_STUCK;
	ck_assert(!pool_has_worker(test.pool));
	ck_assert_uint_eq(test_pool_put(&test, 1), 0);
	ck_assert_uint_eq(vitals_count(test.pool, SILENCE_STUCK), 1);
	ck_assert_uint_eq(vitals_count(test.pool, SILENCE_BUSY), 0);
	test_pool_done(&test);
}
END_TEST

START_TEST(the_age_of_the_oldest_is_that_of_all_workers)
{
	test_pool_init_receipted(&test, 2);
	ck_assert_uint_eq(vitals_oldest_us(test.pool), 0);
	test_pool_put(&test, 1);
	dispatch_send(test.pool);
	fake_clock.passed_us += 3 * SECOND_US;
	test_pool_put(&test, 1);
	dispatch_send(test.pool);
	fake_clock.passed_us += SECOND_US;
	ck_assert_uint_eq(vitals_oldest_us(test.pool), 4 * SECOND_US);
	test_pool_done(&test);
}
END_TEST

/* It has removed its mailbox, so it was not killed. */
START_TEST(a_plain_worker_that_ends_politely_has_lost_nothing)
{
	struct worker *worker;

	test_pool_init(&test, 1);
	worker = test_pool_worker(&test, 0);
	worker->kind = WORKER_PLAIN;
	worker->silence.stats = &test.stats;
	worker->silence.reading.since_us = 1;
	worker->silence.reading.count = 3;
	ck_assert_int_eq(unlink(test_pool_path(0)), 0);
	test_pool_close(&test, 0);
	worker->callbacks->on_death(worker->owner, worker);
	ck_assert_uint_eq(pool_count_workers(test.pool), 0);
	ck_assert_uint_eq(test.stats.plain_died, 0);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_look_finds_a_plain_worker_that_died)
{
	struct worker *worker;

	test_pool_init(&test, 2);
	worker = test_pool_worker(&test, 0);
	worker->kind = test_pool_worker(&test, 1)->kind = WORKER_PLAIN;
	worker->silence.stats = &test.stats;
	worker->silence.reading.since_us = 1;
	worker->silence.reading.count = 3; /* nobody knows whether it read */
	test_pool_close(&test, 0);
	owner_quota_count(worker->quota); /* its mailbox seems empty */
	vitals_look(test.pool);
	ck_assert(worker->dead);
	ck_assert_uint_eq(pool_count_workers(test.pool), 1);
	ck_assert_uint_eq(test.stats.plain_died, 3);
	vitals_look(test.pool);
	ck_assert_uint_eq(test.stats.plain_died, 3);
	/* It is shown until its name is gone. */
	finder_scan(&test.pool->finder);
	ck_assert_ptr_eq(test_pool_worker(&test, 0), worker);
	ck_assert_int_eq(unlink(test_pool_path(0)), 0);
	test_pool_settle(&test);
	ck_assert_ptr_null(test_pool_worker(&test, 0));
	test_pool_done(&test);
}
END_TEST

/* Whoever looks: an administrator asks for the status. */
START_TEST(a_look_that_finds_a_worker_answers_has_room)
{
	struct worker *worker;

	test_pool_init(&test, 1);
	worker = test_pool_worker(&test, 0);
	worker->kind = WORKER_PLAIN;
	worker->silence.state = SILENCE_LATE;
	worker->silence.reading.since_us = 1;
	vitals_look(test.pool);
	ck_assert_int_eq(worker->silence.state, SILENCE_NONE);
	ck_assert(timer_is_set(&worker->rest));
	test_pool_done(&test);
}
END_TEST

/* Its receipt connections end first. */
START_TEST(a_process_that_ends_closes_its_mailbox_a_moment_later)
{
	struct worker *worker;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	test.receipt_conns[0] = fd_close(test.receipt_conns[0]);
	test_pool_settle(&test);
	ck_assert(worker->has_left && worker->looks_again);
	ck_assert(timer_is_set(&worker->check));
	if (_i == 0) {
		test_pool_close(&test, 0);
		silence_on_time(worker);
		ck_assert_ptr_null(test_pool_worker(&test, 0));
	} else if (_i == 1) { /* a child keeps it open */
		silence_on_time(worker);
		ck_assert(worker->has_left && !worker->looks_again);
		vitals_look(test.pool);
		ck_assert(!worker->dead);
		fake_clock.passed_us += SECOND_US;
		test_pool_close(&test, 0);
		vitals_look(test.pool);
		ck_assert(worker->dead);
	} else { /* which uses it */
		test_pool_hello(&test, 0, 100);
		test_pool_settle(&test);
		ck_assert(!worker->has_left);
		silence_on_time(worker);
		ck_assert(!worker->has_left && !worker->looks_again);
	}
	test_pool_done(&test);
}
END_TEST

START_TEST(a_new_worker_takes_the_place_of_a_dead_one)
{
	test_pool_init(&test, 1);
	test_pool_close(&test, 0);
	vitals_look(test.pool);
	ck_assert(test_pool_worker(&test, 0)->dead);
	ck_assert_int_eq(unlink(test_pool_path(0)), 0);
	test_pool_open(&test, 0);
	test_pool_settle(&test);
	ck_assert(!test_pool_worker(&test, 0)->dead);
	ck_assert_uint_eq(pool_count_workers(test.pool), 1);
	test_pool_done(&test);
}
END_TEST

START_TEST(dead_workers_do_not_fill_a_pool)
{
	test_pool_init(&test, 1);
	test_pool_close(&test, 0);
	vitals_look(test.pool);
	test.pool->count += POOL_WORKERS_MAX - 1;
	test_pool_open(&test, 1);
	finder_scan(&test.pool->finder);
	ck_assert_ptr_null(test_pool_worker(&test, 0));
	ck_assert_ptr_nonnull(test_pool_worker(&test, 1));
	test_pool_done(&test);
}
END_TEST

START_TEST(what_a_new_worker_that_died_has_goes_to_others)
{
	test_pool_init(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_send(test.pool);
	test_pool_close(&test, 0);
	vitals_look(test.pool);
	test_pool_holds(&test, "0");
	test_pool_done(&test);
}
END_TEST

START_TEST(a_look_costs_nothing_soon_after_another)
{
	test_pool_init(&test, 1);
	vitals_look(test.pool);
	test_pool_close(&test, 0);
	vitals_look(test.pool);
	ck_assert(!test_pool_worker(&test, 0)->dead);
	fake_clock.passed_us += SECOND_US;
	vitals_look(test.pool);
	ck_assert(test_pool_worker(&test, 0)->dead);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(vitals)
{
	TCase *tc = unit_case(suite, "vitals");

	fake_clock_stop_in(tc);
	tcase_add_test(
	    tc, a_late_worker_gets_nothing_while_another_one_answers);
	tcase_add_loop_test(
	    tc, a_late_worker_serves_where_nobody_else_does, 0, 4);
	tcase_add_test(tc, stuck_workers_are_no_workers_and_busy_ones_are);
	tcase_add_test(tc, the_age_of_the_oldest_is_that_of_all_workers);
	tcase_add_test(tc, a_plain_worker_that_ends_politely_has_lost_nothing);
	tcase_add_test(tc, a_look_finds_a_plain_worker_that_died);
	tcase_add_test(tc, a_look_that_finds_a_worker_answers_has_room);
	tcase_add_loop_test(
	    tc, a_process_that_ends_closes_its_mailbox_a_moment_later, 0, 3);
	tcase_add_test(tc, a_new_worker_takes_the_place_of_a_dead_one);
	tcase_add_test(tc, dead_workers_do_not_fill_a_pool);
	tcase_add_test(tc, what_a_new_worker_that_died_has_goes_to_others);
	tcase_add_test(tc, a_look_costs_nothing_soon_after_another);
}
