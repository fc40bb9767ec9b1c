/* SPDX-License-Identifier: ISC */
/*
 * What the control socket shows of workers.
 */
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include <unistd.h>

static struct test_control test;

/* A worker of the report with that index; the caller frees *out_workers. */
static json_t *
get_worker(size_t index, json_t **out_workers)
{
	*out_workers = test_control_get(&test, "/v1/workers");
	return json_array_get(json_object_get(*out_workers, "workers"), index);
}

START_TEST(workers_are_shown)
{
	struct worker *worker;
	json_t *workers, *shown;

	test_control_init(&test, 2, geteuid(), RECORD_NO_ID);
	worker = TAILQ_FIRST(&test.pool.pool->workers);
	worker->window.size = 17;
	worker->unreceipted.count = 5;
	worker->share.weight = 9;
	shown = get_worker(0, &workers);
	ck_assert_uint_eq(
	    json_array_size(json_object_get(workers, "workers")), 2);
	ck_assert_uint_eq(json_object_size(shown), 17);
	test_control_is(shown, "pool", test.pool.pool->finder.path);
	test_control_is(shown, "name", worker->name);
	test_control_is(shown, "state", "ready");
	test_control_is(shown, "kind", "receipted");
	ck_assert(json_is_false(json_object_get(shown, "shared")));
	ck_assert_int_eq(test_control_number(shown, "uid"), geteuid());
	ck_assert_uint_eq(
	    (ino_t)test_control_number(shown, "inode"), worker->mailbox.inode);
	ck_assert_int_eq(test_control_number(shown, "pid"), getpid());
	ck_assert(json_is_string(json_object_get(shown, "label")));
	ck_assert_int_eq(test_control_number(shown, "window"), 17);
	ck_assert_int_eq(test_control_number(shown, "unreceipted"), 5);
	ck_assert(json_is_null(json_object_get(shown, "oldest_ms")));
	ck_assert(json_is_null(json_object_get(shown, "connections")));
	ck_assert_int_eq(test_control_number(shown, "weight"), 9);
	shown = json_object_get(shown, "listeners");
	ck_assert_uint_eq(json_array_size(shown), 2);
	ck_assert_str_eq(json_string_value(json_array_get(shown, 0)), "www");
	ck_assert_str_eq(json_string_value(json_array_get(shown, 1)), "lent");
	json_decref(workers);
	worker->counts_connections = 1;
	worker->connections = 33;
	worker->unreceipted.count = 0;
	shown = get_worker(0, &workers);
	ck_assert_int_eq(test_control_number(shown, "connections"), 33);
	json_decref(workers);
	test_control_done(&test);
}
END_TEST

/* Each is shown as the first that is true. */
START_TEST(the_state_of_a_worker_is_one_word)
{
	struct worker *worker;
	const char *expected[] = {
	    "full", "paused", "draining", "left", "leaving"};
	int *states[UNIT_COUNT(expected)];
	json_t *workers;

	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	worker = TAILQ_FIRST(&test.pool.pool->workers);
	states[0] = &worker->full;
	states[1] = &worker->paused;
	states[2] = &worker->draining;
	states[3] = &worker->has_left;
	states[4] = &worker->unlinked;
	for (size_t i = 0; i < UNIT_COUNT(states); i++) {
		*states[i] = 1;
		test_control_is(get_worker(0, &workers), "state", expected[i]);
		json_decref(workers);
	}
	test_control_done(&test);
}
END_TEST

START_TEST(a_worker_that_has_not_said_hello_has_no_process)
{
	json_t *workers, *shown;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	test_pool_open(&test.pool, 0);
	finder_scan(&test.pool.pool->finder);
	shown = get_worker(0, &workers);
	test_control_is(shown, "kind", "new");
	test_control_is(shown, "label", "");
	ck_assert(json_is_null(json_object_get(shown, "pid")));
	json_decref(workers);
	test_control_done(&test);
}
END_TEST

/* Pools without workers are many in a step, others one. */
START_TEST(workers_of_a_pool_are_a_step)
{
	struct pool *other;

	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	ck_assert_uint_eq(test_control_steps(&test, report_workers), 1);
	other = pool_find(&test.table.pools, &test.table.pool_context,
	    "/nowhere/else", geteuid());
	ck_assert_ptr_nonnull(other);
	ck_assert_uint_eq(test_control_steps(&test, report_workers), 2);
	test_control_done(&test);
}
END_TEST

START_TEST(without_workers_the_array_is_empty)
{
	json_t *workers;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	ck_assert_ptr_null(get_worker(0, &workers));
	ck_assert(json_is_array(json_object_get(workers, "workers")));
	json_decref(workers);
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(report_workers)
{
	TCase *tc = unit_case(suite, "workers");
	tcase_add_test(tc, workers_are_shown);
	tcase_add_test(tc, the_state_of_a_worker_is_one_word);
	tcase_add_test(tc, a_worker_that_has_not_said_hello_has_no_process);
	tcase_add_test(tc, workers_of_a_pool_are_a_step);
	tcase_add_test(tc, without_workers_the_array_is_empty);
}
