/* SPDX-License-Identifier: ISC */
/*
 * Which worker is next, and what is sent to it together.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static size_t
outstanding(const struct test_pool *test, unsigned int which)
{
	const struct worker *worker = test_pool_worker(test, which);

	return worker->outbox_count + worker->unreceipted.count;
}

/* Gives a new connection to the next worker and returns its number. */
static unsigned int
next(struct test_pool *test)
{
	size_t before[TEST_POOL_MOST];
	unsigned int which = 0;

	for (unsigned int i = 0; i < 3; i++)
		before[i] = outstanding(test, i);
	ck_assert_uint_eq(test_pool_put(test, 1), 1);
	while (which < 3 && outstanding(test, which) == before[which])
		which++;
	ck_assert_uint_lt(which, 3);
	return which;
}

START_TEST(among_equals_each_has_its_turn)
{
	unsigned int order[9];
	struct test_pool test;

	test_pool_init_receipted(&test, 3);
	for (int i = 0; i < 9; i++)
		order[i] = next(&test);
	ck_assert_uint_ne(order[0], order[1]);
	ck_assert_uint_ne(order[1], order[2]);
	ck_assert_uint_ne(order[2], order[0]);
	for (int i = 3; i < 9; i++)
		ck_assert_uint_eq(order[i], order[i - 3]);
	test_pool_done(&test);
}
END_TEST

START_TEST(who_has_least_outstanding_comes_first)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 3);
	for (int i = 0; i < 9; i++)
		next(&test);
	dispatch_send(test.pool);
	wire_raw_send_receipt(test.receipt_conns[1], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 2);
	test_pool_settle(&test);
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(next(&test), 1);
	ck_assert_uint_eq(outstanding(&test, 1), 3);
	test_pool_done(&test);
}
END_TEST

START_TEST(work_is_shared_by_weight)
{
	struct test_pool test;

	test_pool_init(&test, 2);
	test_pool_hello(&test, 0, 300);
	test_pool_hello(&test, 1, 100);
	ck_assert_uint_eq(test_pool_put(&test, 16), 16);
	ck_assert_uint_eq(outstanding(&test, 0), 12);
	ck_assert_uint_eq(outstanding(&test, 1), 4);
	test_pool_done(&test);
}
END_TEST

START_TEST(what_no_worker_may_serve_now_holds_up_no_other_endpoint)
{
	struct record_endpoint other;
	struct worker *worker;
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	other = test.endpoint;
	ck_assert_uint_eq(test_pool_put(&test, 3), 3);
	test_pool_close(&test, 0);
	dispatch_send(test.pool);
	test_pool_holds(&test, "012");
	test.endpoint.max_connections = 1;
	test_pool_open(&test, 1);
	test_pool_await(&test, test.mailboxes[1], POLLIN);
	test_pool_expect(&test, 1, "0"); /* one for another process */
	test_pool_hello(&test, 1, FDRECV_WIRE_WEIGHT);
	worker = test_pool_worker(&test, 1);
	worker->counts_connections = 1;
	worker->connections = 1;
	TAILQ_FIRST(&test.pool->held)->endpoint = &test.endpoint;
	TAILQ_LAST(&test.pool->held, handoff_list)->endpoint = &other;
	dispatch_send(test.pool);
	test_pool_holds(&test, "1");
	test_pool_expect(&test, 1, "2");
	worker->connections = 0;
	worker->counts_connections = 0;
	dispatch_send(test.pool);
	test_pool_expect(&test, 1, "1");
	test_pool_done(&test);
}
END_TEST

START_TEST(a_full_datagram_is_sent_at_once)
{
	static struct wire_raw raw;
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	test.endpoint.window = 2 * FDRECV_WIRE_BATCH_MAX;
	test_pool_worker(&test, 0)->window.size = 2 * FDRECV_WIRE_BATCH_MAX;
	ck_assert_uint_eq(test_pool_put(&test, FDRECV_WIRE_BATCH_MAX - 1),
	    FDRECV_WIRE_BATCH_MAX - 1);
	ck_assert(!net_polls(test.mailboxes[0], POLLIN));
	ck_assert_uint_eq(test_pool_put(&test, 3), 3);
	wire_raw_take(&raw, test.mailboxes[0]);
	ck_assert_uint_eq(raw.count, FDRECV_WIRE_BATCH_MAX);
	wire_raw_close(&raw);
	dispatch_send(test.pool);
	wire_raw_take(&raw, test.mailboxes[0]);
	ck_assert_uint_eq(raw.count, 2);
	wire_raw_close(&raw);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_worker_without_receipts_gets_one_at_a_time)
{
	struct test_pool test;

	test_pool_init(&test, 1);
	test_pool_worker(&test, 0)->kind = WORKER_PLAIN;
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	test_pool_expect(&test, 0, "0");
	test_pool_expect(&test, 0, "1");
	test_pool_expect(&test, 0, "");
	test_pool_done(&test);
}
END_TEST

/* Resets the last connection, which has not been sent to its worker. */
static void
reset_last(struct test_pool *test)
{
	const struct handoff *handoff =
	    TAILQ_LAST(&test_pool_worker(test, 0)->outbox, handoff_list);

	net_reset(test->clients[--test->count]);
	test_pool_await(test, handoff->fd, POLLHUP);
}

START_TEST(clients_that_are_gone_are_not_handed_off)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 3), 3);
	reset_last(&test);
	dispatch_send(test.pool);
	test_pool_expect(&test, 0, "01");
	ck_assert_uint_eq(test.stats.dead, 1);
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	test_pool_done(&test);
}
END_TEST

/* One look is for the datagrams of all workers. */
START_TEST(no_worker_gets_clients_that_are_gone)
{
	struct test_pool test;
	const struct handoff *last;

	test_pool_init_receipted(&test, 3);
	ck_assert_uint_eq(test_pool_put(&test, 6), 6);
	for (int i = 3; i < 6; i++)
		net_reset(test.clients[i]);
	for (unsigned int i = 0; i < 3; i++) {
		last = TAILQ_LAST(
		    &test_pool_worker(&test, i)->outbox, handoff_list);
		test_pool_await(&test, last->fd, POLLHUP);
	}
	test.count = 3;
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.stats.dead, 3);
	ck_assert_uint_eq(test.stats.unreceipted, 3);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_client_that_did_not_wait_is_not_looked_at)
{
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	TAILQ_FIRST(&test_pool_worker(&test, 0)->outbox)->client =
	    HANDOFF_CLIENT_PRESENT;
	reset_last(&test);
	dispatch_take_back(test.pool, test_pool_worker(&test, 0));
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.stats.dead, 1); /* it waited since then */
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	TAILQ_FIRST(&test_pool_worker(&test, 0)->outbox)->client =
	    HANDOFF_CLIENT_PRESENT;
	reset_last(&test);
	dispatch_send(test.pool);
	ck_assert_uint_eq(test.stats.dead, 1);
	ck_assert_uint_eq(test.stats.unreceipted, 1);
	test_pool_done(&test);
}
END_TEST

/* No receipt reports that its worker has room again. */
START_TEST(the_place_of_a_client_that_is_gone_is_free)
{
	struct test_pool test;
	unsigned int changes;

	test_pool_init_receipted(&test, 1);
	test_pool_worker(&test, 0)->window.size = 1;
	ck_assert_uint_eq(test_pool_put(&test, 2), 1);
	ck_assert(test.pool->starved);
	reset_last(&test);
	changes = test.changes;
	dispatch_send(test.pool);
	test_pool_expect(&test, 0, "");
	ck_assert(TAILQ_EMPTY(&test.pool->queue));
	ck_assert_uint_eq(test.changes, changes);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.changes, changes + 1);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_send(test.pool);
	test_pool_expect(&test, 0, "0");
	test_pool_done(&test);
}
END_TEST

/* Neither together with others of its worker nor with those of the next
 * one. */
START_TEST(what_has_no_record_is_not_sent_with_what_has_one)
{
	struct record_endpoint bare;
	struct handoff *handoff;
	struct worker *worker;
	struct test_pool test;

	test_pool_init_receipted(&test, 2);
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	bare = test.endpoint;
	bare.protocol = RECORD_BARE;
	worker = dispatch_pick(test.pool, &bare);
	handoff = test_pool_handoff(&test);
	handoff->endpoint = &bare;
	dispatch_put(test.pool, worker, handoff);
	dispatch_send(test.pool);
	for (unsigned int i = 0; i < 2; i++) {
		static struct wire_raw raw;

		wire_raw_take(&raw, test.mailboxes[i]);
		ck_assert_uint_eq(raw.count, 1);
		ck_assert_uint_eq(raw.header.count, 1);
		wire_raw_close(&raw);
	}
	ck_assert_uint_eq(test.stats.handed_off, 3);
	ck_assert_uint_eq(test.stats.plain, 1);
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	test_pool_done(&test);
}
END_TEST

/* None of them has anything outstanding. */
START_TEST(plain_workers_take_turns)
{
	struct test_pool test;

	test_pool_init(&test, 3);
	for (unsigned int i = 0; i < 3; i++)
		test_pool_worker(&test, i)->kind = WORKER_PLAIN;
	ck_assert_uint_eq(test_pool_put(&test, 6), 6);
	for (unsigned int i = 0; i < 6; i++) {
		ck_assert(net_polls(test.mailboxes[i % 3], POLLIN));
		close(net_take(test.mailboxes[i % 3]));
	}
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(dispatch)
{
	TCase *tc = unit_case(suite, "dispatch");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, among_equals_each_has_its_turn);
	tcase_add_test(tc, who_has_least_outstanding_comes_first);
	tcase_add_test(tc, work_is_shared_by_weight);
	tcase_add_test(
	    tc, what_no_worker_may_serve_now_holds_up_no_other_endpoint);
	tcase_add_test(tc, a_full_datagram_is_sent_at_once);
	tcase_add_test(tc, a_worker_without_receipts_gets_one_at_a_time);
	tcase_add_test(tc, no_worker_gets_clients_that_are_gone);
	tcase_add_test(tc, a_client_that_did_not_wait_is_not_looked_at);
	tcase_add_test(tc, clients_that_are_gone_are_not_handed_off);
	tcase_add_test(tc, the_place_of_a_client_that_is_gone_is_free);
	tcase_add_test(tc, what_has_no_record_is_not_sent_with_what_has_one);
	tcase_add_test(tc, plain_workers_take_turns);
}
