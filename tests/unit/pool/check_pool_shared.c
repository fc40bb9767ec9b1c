/* SPDX-License-Identifier: ISC */
/*
 * A second process at a mailbox: it succeeds the first one, or shares it.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/handoff/persistent.h"

#include <unistd.h>

/* Sends the HELLO of another process at the mailbox of worker 0. */
static int
other_hello(struct test_pool *test, uint64_t instance, uint16_t dead)
{
	struct fdrecv_wire_hello hello =
	    wire_raw_hello(test_pool_path(0), instance);
	int conn = test_pool_connect();

	hello.dead = dead;
	wire_raw_send_hello(conn, &hello, test_pool_path(0));
	test_pool_settle(test);
	return conn;
}

/* It comes before the end of the process is noticed.  Both datagrams may be in
 * the mailbox, or the first one may have been read. */
START_TEST(a_successor_returns_what_nobody_has_read)
{
	const struct worker *worker;
	struct test_pool test;
	int conn;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	test_pool_send_to_first(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_send(test.pool);
	conn = other_hello(&test, 4711, 1);
	ck_assert_uint_eq(worker->instance, 4711);
	ck_assert(!worker->shared && !worker->has_left);
	ck_assert_ptr_nonnull(worker->unreceipted.doubtful);
	if (_i == 0) {
		wire_raw_send_receipt(
		    conn, test.core.workers.epoch, FDRECV_WIRE_UNREAD, 0, 1);
		test_pool_settle(&test);
		ck_assert_uint_eq(test.stats.died, 0);
	} else {
		wire_raw_send_receipt(
		    conn, test.core.workers.epoch, FDRECV_WIRE_TAKEN, 2, 1);
		test_pool_settle(&test);
		ck_assert_uint_eq(test.stats.died, 1);
		ck_assert(test_pool_is_closed(&test, 0));
	}
	ck_assert_ptr_null(worker->unreceipted.doubtful);
	ck_assert_uint_eq(test.stats.returned_death, 1);
	close(conn);
	test_pool_done(&test);
}
END_TEST

static unsigned int
known(const struct test_pool *test)
{
	const struct worker *worker = test_pool_worker(test, 0);

	return persistent_find(test->core.persistent, worker->mailbox.device,
	    worker->mailbox.inode);
}

START_TEST(who_shares_a_mailbox_has_it_alone_in_the_end)
{
	const struct worker *worker;
	struct test_pool test;
	unsigned int before;
	int conn;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	test_pool_send_to_first(&test, 1);
	test.pool->starved = 1;
	before = test.changes;
	conn = other_hello(&test, 4711, 0);
	ck_assert(worker->shared && worker->kind == WORKER_PLAIN);
	ck_assert_uint_eq(test.stats.plain, 1);
	ck_assert_uint_gt(test.changes, before);
	ck_assert_uint_eq(known(&test), PERSISTENT_SHARED);
	test.receipt_conns[0] = fd_close(test.receipt_conns[0]);
	test_pool_settle(&test);
	ck_assert(!worker->shared && worker->kind == WORKER_RECEIPTED);
	ck_assert_uint_eq(worker->instance, 4711);
	ck_assert_uint_eq(known(&test), PERSISTENT_RECEIPTED);
	close(conn);
	test_pool_done(&test);
}
END_TEST

/* Others may share it that have not said HELLO to this engine. */
START_TEST(what_an_earlier_engine_saw_shared_stays_so)
{
	const struct worker *worker;
	struct test_pool test;
	int conn;

	test_pool_init(&test, 1);
	TAILQ_FIRST(&test.pool->workers)->shared = 1;
	TAILQ_FIRST(&test.pool->workers)->was_shared = 1;
	TAILQ_FIRST(&test.pool->workers)->kind = WORKER_PLAIN;
	worker = test_pool_worker(&test, 0);
	conn = other_hello(&test, 4711, 0);
	ck_assert(worker->shared && worker->kind == WORKER_PLAIN);
	close(other_hello(&test, 4712, 0));
	test_pool_settle(&test);
	ck_assert(worker->shared && !worker->has_left);
	close(conn);
	test_pool_settle(&test);
	ck_assert(worker->shared && !worker->has_left);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(pool_shared)
{
	TCase *tc = unit_case(suite, "pool_shared");

	fake_clock_stop_in(tc);
	tcase_add_loop_test(tc, a_successor_returns_what_nobody_has_read, 0, 2);
	tcase_add_test(tc, who_shares_a_mailbox_has_it_alone_in_the_end);
	tcase_add_test(tc, what_an_earlier_engine_saw_shared_stays_so);
}
