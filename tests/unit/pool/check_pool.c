/* SPDX-License-Identifier: ISC */
/*
 * The workers of a pool come and go: the pool keeps each one as long as
 * anything may come from it, and does not use a mailbox again that nobody
 * reads.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/record_sample.h"

#include "base/fd.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void
take_name(struct test_pool *test, unsigned int which)
{
	ck_assert_int_eq(unlink(test_pool_path(which)), 0);
	test_pool_settle(test);
}

/* A worker that is kept although its name is gone, or NULL. */
static struct worker *
leaving(const struct test_pool *test)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &test->pool->workers, entry)
		if (worker->unlinked)
			return worker;
	return NULL;
}

START_TEST(a_path_has_one_pool)
{
	struct test_pool test;

	test_pool_init(&test, 0);
	ck_assert_ptr_eq(pool_find(&test.pools, &test.core.pools,
			     unit_path("pool/"), geteuid()),
	    test.pool);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_plain_worker_is_gone_with_its_name)
{
	unsigned int changes;
	struct test_pool test;

	test_pool_init(&test, 1);
	test_pool_worker(&test, 0)->kind = WORKER_PLAIN;
	ck_assert(pool_has_worker(test.pool));
	changes = test.changes;
	take_name(&test, 0);
	ck_assert(TAILQ_EMPTY(&test.pool->workers));
	ck_assert(!pool_has_worker(test.pool));
	ck_assert_uint_eq(test.changes, changes + 1);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_worker_that_leaves_is_kept_until_all_is_confirmed)
{
	struct worker *worker;
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	test_pool_send_to_first(&test, 2);
	worker = test_pool_worker(&test, 0);
	take_name(&test, 0);
	ck_assert_ptr_eq(TAILQ_FIRST(&test.pool->workers), worker);
	ck_assert_ptr_null(test_pool_worker(&test, 0));
	ck_assert(!pool_has_worker(test.pool));
	ck_assert(pool_is_busy(test.pool));
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 2);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 2);
	ck_assert(!pool_is_busy(test.pool));
	test_pool_close(&test, 0);
	test_pool_settle(&test);
	ck_assert_ptr_null(leaving(&test));
	test_pool_done(&test);
}
END_TEST

START_TEST(what_a_leaving_worker_does_not_confirm_goes_to_others)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	test_pool_send_to_first(&test, 2);
	take_name(&test, 0);
	test_pool_open(&test, 1);
	test_pool_settle(&test);
	test_pool_hello(&test, 1, FDRECV_WIRE_WEIGHT);
	test_pool_close(&test, 0);
	test_pool_settle(&test);
	ck_assert_ptr_null(leaving(&test));
	test_pool_expect(&test, 1, "01");
	test_pool_done(&test);
}
END_TEST

/* HELLO may come when the name is already gone. */
START_TEST(a_leaving_worker_may_say_hello)
{
	struct fdrecv_wire_hello hello;
	const struct worker *worker;
	struct test_pool test;

	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	test_pool_expect(&test, 0, "0");
	take_name(&test, 0);
	worker = leaving(&test);
	ck_assert(worker != NULL && worker->kind == WORKER_NEW);
	test.receipt_conns[0] = test_pool_connect();
	wire_raw_send_hello(test.receipt_conns[0], &hello, test_pool_path(0));
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 1);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert(worker->kind == WORKER_RECEIPTED);
	ck_assert_ptr_eq(leaving(&test), worker);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_new_inode_is_a_new_worker)
{
	struct worker *before;
	struct test_pool test;
	int old;

	test_pool_init_receipted(&test, 1);
	test_pool_send_to_first(&test, 1);
	before = test_pool_worker(&test, 0);
	old = test.mailboxes[0];
	ck_assert_int_eq(unlink(test_pool_path(0)), 0);
	test_pool_open(&test, 0);
	test_pool_settle(&test);
	ck_assert_ptr_eq(leaving(&test), before);
	ck_assert_ptr_nonnull(test_pool_worker(&test, 0));
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_NEW);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	test_pool_expect(&test, 0, "1");
	ck_assert(!net_polls(old, POLLIN));
	test_pool_done(&test);
	close(old);
}
END_TEST

START_TEST(a_mailbox_that_nobody_reads_is_not_found_again)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	test.receipt_conns[0] =
	    fd_close(test.receipt_conns[0]); /* its mailbox stays */
	test_pool_settle(&test);
	for (int i = 0; i < 2; i++) {
		ck_assert(!pool_has_worker(test.pool));
		ck_assert_uint_eq(test_pool_put(&test, 1), 0);
		finder_scan(&test.pool->finder);
		test_pool_settle(&test);
	}
	take_name(&test, 0);
	ck_assert(TAILQ_EMPTY(&test.pool->workers));
	test_pool_open(&test, 1);
	test_pool_settle(&test);
	ck_assert(pool_has_worker(test.pool));
	test_pool_done(&test);
}
END_TEST

START_TEST(a_hello_revives_a_mailbox)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	test_pool_send_to_first(&test, 2);
	worker->has_survivor = 1; /* of a process that has exited */
	test.receipt_conns[0] = fd_close(test.receipt_conns[0]);
	test_pool_settle(&test);
	ck_assert(worker->has_left);
	test_pool_holds(&test, "1");
	hello = wire_raw_hello(test_pool_path(0), 4711);
	test.receipt_conns[0] = test_pool_connect();
	wire_raw_send_hello(test.receipt_conns[0], &hello, test_pool_path(0));
	test_pool_settle(&test);
	ck_assert(!worker->has_left);
	ck_assert(!worker->shared);
	ck_assert_uint_eq(worker->instance, 4711);
	test_pool_expect(&test, 0, "1");
	test_pool_close(&test, 0); /* it has no known child */
	test_pool_settle(&test);
	test_pool_holds(&test, "1");
	test_pool_done(&test);
}
END_TEST

START_TEST(what_is_held_is_refused_by_its_listener)
{
	struct stats_listener other = {.held = 1};
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 3), 3);
	dispatch_take_back(test.pool, test_pool_worker(&test, 0));
	test_pool_holds(&test, "012");
	TAILQ_FIRST(&test.pool->held)->stats = &other;
	ck_assert(dispatch_holds(test.pool, &test.stats));
	ck_assert_uint_eq(dispatch_refuse_held(test.pool, &test.stats), 2);
	ck_assert_uint_eq(test.stats.held, 1); /* it counted all three */
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(test_pool_is_closed(&test, i), i != 0);
	ck_assert(!dispatch_holds(test.pool, &test.stats));
	ck_assert(dispatch_holds(test.pool, &other));
	ck_assert_uint_eq(other.held, 1);
	ck_assert(pool_is_busy(test.pool));
	test_pool_done(&test);
}
END_TEST

START_TEST(a_worker_that_comes_late_has_no_lead)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 2);
	ck_assert_uint_eq(test_pool_put(&test, 8), 8);
	test_pool_open(&test, 2);
	test_pool_settle(&test);
	ck_assert_uint_gt(test_pool_worker(&test, 0)->share.pass, 0);
	ck_assert_uint_eq(test_pool_worker(&test, 2)->share.pass,
	    test_pool_worker(&test, 0)->share.pass);
	test_pool_done(&test);
}
END_TEST

/* One that is leaving has had less, and gets no more. */
START_TEST(one_that_leaves_gives_nobody_a_lead)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 2);
	test_pool_worker(&test, 0)->share.pass = 1;
	test_pool_worker(&test, 1)->share.pass = 7;
	take_name(&test, 0);
	ck_assert_ptr_nonnull(leaving(&test));
	test_pool_open(&test, 2);
	test_pool_settle(&test);
	ck_assert_uint_eq(test_pool_worker(&test, 2)->share.pass, 7);
	test_pool_done(&test);
}
END_TEST

/* The one before is leaving, and has no name. */
START_TEST(a_name_is_that_of_the_last_worker)
{
	struct worker *worker;
	struct test_pool test;
	int old;

	test_pool_init_receipted(&test, 1);
	test_pool_send_to_first(&test, 1);
	old = test.mailboxes[0];
	ck_assert_int_eq(unlink(test_pool_path(0)), 0);
	test_pool_open(&test, 0);
	test_pool_settle(&test);
	worker = test_pool_worker(&test, 0);
	ck_assert_ptr_nonnull(worker);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1); /* so that it is kept */
	/* Whichever is found first. */
	TAILQ_REMOVE(&test.pool->workers, worker, entry);
	TAILQ_INSERT_TAIL(&test.pool->workers, worker, entry);
	ck_assert_ptr_eq(TAILQ_FIRST(&test.pool->workers), leaving(&test));
	take_name(&test, 0);
	ck_assert(worker->unlinked);
	test_pool_done(&test);
	close(old);
}
END_TEST

UNIT_SUITE(pool)
{
	TCase *tc = unit_case(suite, "pool");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, a_path_has_one_pool);
	tcase_add_test(tc, a_plain_worker_is_gone_with_its_name);
	tcase_add_test(tc, a_worker_that_leaves_is_kept_until_all_is_confirmed);
	tcase_add_test(
	    tc, what_a_leaving_worker_does_not_confirm_goes_to_others);
	tcase_add_test(tc, a_leaving_worker_may_say_hello);
	tcase_add_test(tc, a_new_inode_is_a_new_worker);
	tcase_add_test(tc, a_mailbox_that_nobody_reads_is_not_found_again);
	tcase_add_test(tc, a_hello_revives_a_mailbox);
	tcase_add_test(tc, what_is_held_is_refused_by_its_listener);
	tcase_add_test(tc, a_worker_that_comes_late_has_no_lead);
	tcase_add_test(tc, one_that_leaves_gives_nobody_a_lead);
	tcase_add_test(tc, a_name_is_that_of_the_last_worker);
}
