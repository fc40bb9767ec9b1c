/* SPDX-License-Identifier: ISC */
/*
 * Who hears of a pool's workers, and when.
 */
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <errno.h>

static unsigned int order[8], heard; /* which user heard */

static void
on_change(void *owner)
{
	order[heard++] = *(unsigned int *)owner;
}

START_TEST(each_user_is_the_first_to_hear_in_its_turn)
{
	unsigned int numbers[2] = {1, 2};
	struct pool_user users[2] = {
	    {.on_change = on_change, .owner = &numbers[0]},
	    {.on_change = on_change, .owner = &numbers[1]}};
	struct test_pool test;

	test_pool_init(&test, 0);
	pool_remove_user(test.pool, &test.user);
	for (int i = 0; i < 2; i++)
		pool_add_user(test.pool, &users[i]);
	for (int i = 0; i < 2; i++)
		test.pool->wake.on_time(test.pool);
	ck_assert_uint_eq(heard, 4);
	ck_assert_uint_ne(order[0], order[1]);
	ck_assert_uint_eq(order[2], order[1]);
	ck_assert_uint_eq(order[3], order[0]);
	for (int i = 0; i < 2; i++)
		pool_remove_user(test.pool, &users[i]);
	test_pool_done(&test);
}
END_TEST

START_TEST(one_that_waits_for_nothing_hears_only_of_the_last_worker)
{
	unsigned int number = 1;
	struct pool_user user = {.on_change = on_change, .owner = &number};
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	pool_add_user(test.pool, &user);
	pool_set_waiting(test.pool, &user, 0, 0);
	test.pool->wake.on_time(test.pool);
	ck_assert_uint_eq(heard, 0);
	pool_set_waiting(test.pool, &user, 1, 0);
	test.pool->wake.on_time(test.pool);
	ck_assert_uint_eq(heard, 1);
	pool_set_waiting(test.pool, &user, 0, 0);
	ck_assert_int_eq(pool_drain(test.pool, "a"), 0);
	test_pool_settle(&test);
	ck_assert_uint_eq(heard, 2);
	pool_remove_user(test.pool, &user);
	test_pool_done(&test);
}
END_TEST

START_TEST(users_hear_when_a_worker_is_drained)
{
	struct test_pool test;
	unsigned int before;

	test_pool_init_receipted(&test, 1);
	before = test.changes;
	errno = 0;
	ck_assert_int_eq(pool_drain(test.pool, "b"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(pool_drain(test.pool, "a"), 0);
	ck_assert(!pool_has_worker(test.pool));
	test_pool_settle(&test);
	ck_assert_uint_eq(test.changes, before + 1);
	test_pool_done(&test);
}
END_TEST

START_TEST(users_hear_when_the_last_worker_leaves)
{
	struct test_pool test;
	unsigned int changes;

	test_pool_init_receipted(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	ck_assert_int_eq(shutdown(test.mailboxes[0], SHUT_RD), 0);
	changes = test.changes;
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.changes, changes);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.changes, changes + 1);
	test_pool_holds(&test, "0");
	test_pool_done(&test);
}
END_TEST

START_TEST(when_nobody_has_room_the_users_hear_of_room)
{
	struct test_pool test;
	unsigned int changes;

	test_pool_init_receipted(&test, 1);
	test_pool_worker(&test, 0)->window.size = 2;
	ck_assert_uint_eq(test_pool_put(&test, 3), 2);
	ck_assert(test.pool->starved);
	dispatch_send(test.pool);
	test_pool_settle(&test);
	changes = test.changes;
	test_pool_expect(&test, 0, "01");
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 1);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.changes, changes + 1);
	ck_assert_ptr_nonnull(dispatch_pick(test.pool, &test.endpoint));
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(pool_users)
{
	TCase *tc = unit_case(suite, "users");

	tcase_add_test(tc, each_user_is_the_first_to_hear_in_its_turn);
	tcase_add_test(
	    tc, one_that_waits_for_nothing_hears_only_of_the_last_worker);
	tcase_add_test(tc, users_hear_when_a_worker_is_drained);
	tcase_add_test(tc, users_hear_when_the_last_worker_leaves);
	tcase_add_test(tc, when_nobody_has_room_the_users_hear_of_room);
}
