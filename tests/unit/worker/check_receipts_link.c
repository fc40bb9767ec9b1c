/* SPDX-License-Identifier: ISC */
/*
 * Links: which mailbox gets one, with which datagram, what comes of its HELLO
 * and of its end.
 */
#include "fixture/net.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/worker/receipts.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <poll.h>
#include <string.h>
#include <unistd.h>

static struct test_pool test;
static struct wire_raw raw;
static int link_fd; /* the worker's end, or -1 */

static void
start(mode_t mode)
{
	test_pool_init(&test, 0);
	link_fd = -1;
	test_pool_open(&test, 0);
	ck_assert_int_eq(chmod(test_pool_path(0), mode), 0);
	finder_scan(&test.pool->finder);
}

static void
stop(void)
{
	if (link_fd != -1)
		close(link_fd);
	wire_raw_close(&raw);
	test_pool_done(&test);
}

/* Sends one connection, which the worker receives.  Keeps the link if there is
 * one. */
static void
hand_off(void)
{
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_send(test.pool);
	wire_raw_close(&raw);
	wire_raw_take(&raw, test.mailboxes[0]);
	ck_assert_uint_eq(raw.count, 1);
	link_fd = raw.link;
}

static void
say_hello(uint64_t instance)
{
	struct fdrecv_wire_hello hello =
	    wire_raw_hello(test_pool_path(0), instance);

	wire_raw_send_hello(link_fd, &hello, test_pool_path(0));
	test_pool_settle(&test);
}

START_TEST(the_first_datagram_brings_a_link)
{
	const struct receipt_conn *conn;
	struct worker *worker;

	start(01666);
	worker = test_pool_worker(&test, 0);
	hand_off();
	ck_assert_int_ne(link_fd, -1);
	ck_assert_uint_gt(raw.header.path_length, 0);
	ck_assert_int_eq(worker->kind, WORKER_NEW);
	say_hello(7);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	conn = TAILQ_FIRST(&worker->conns.head);
	ck_assert_ptr_nonnull(conn);
	ck_assert_int_eq(conn->peer.pid, getpid());
	ck_assert_uint_eq(conn->peer.uid, geteuid());
	ck_assert_int_ne(conn->peer.pidfd, -1);
	wire_raw_send_receipt(
	    link_fd, test.core.workers.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 1);
	worker->window.size = 8;
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_send(test.pool);
	test_pool_expect(&test, 0, "1");
	close(link_fd);
	link_fd = -1;
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.returned_death, 1);
	stop();
}
END_TEST

START_TEST(a_mailbox_of_another_mode_gets_a_path)
{
	start(0666);
	hand_off();
	ck_assert_int_eq(link_fd, -1);
	ck_assert_uint_gt(raw.header.path_length, 0);
	ck_assert_uint_eq(test_pool_worker(&test, 0)->links.count, 0);
	stop();
}
END_TEST

START_TEST(a_worker_with_a_connection_gets_no_link)
{
	start(01666);
	test_pool_hello(&test, 0, 100);
	hand_off();
	ck_assert_int_eq(link_fd, -1);
	stop();
}
END_TEST

START_TEST(a_mailbox_without_records_gets_no_link)
{
	start(01666);
	test.endpoint.protocol = RECORD_BARE;
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_send(test.pool);
	test_pool_expect(&test, 0, "0");
	ck_assert_uint_eq(test_pool_worker(&test, 0)->links.count, 0);
	stop();
}
END_TEST

/* The worker had no descriptor left, or did not want it. */
START_TEST(a_link_that_ends_is_followed_by_another)
{
	struct worker *worker;

	start(01666);
	worker = test_pool_worker(&test, 0);
	hand_off();
	ck_assert(worker->hello_expected);
	close(link_fd);
	test_pool_settle(&test);
	test_pool_settle(&test);
	ck_assert_int_eq(worker->kind, WORKER_PLAIN);
	ck_assert(worker->knows_receipts);
	ck_assert_uint_eq(test.stats.unreceipted, 0);
	hand_off();
	ck_assert_int_ne(link_fd, -1);
	say_hello(7);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	stop();
}
END_TEST

/* It has said HELLO to an earlier engine, so it would have said it before
 * anybody got the connection. */
START_TEST(a_connection_whose_link_was_lost_comes_back)
{
	struct worker *worker;

	start(01666);
	worker = test_pool_worker(&test, 0);
	worker->said_hello = 1;
	hand_off();
	close(link_fd);
	test_pool_settle(&test);
	test_pool_settle(&test);
	ck_assert_int_eq(worker->kind, WORKER_NEW);
	ck_assert_uint_eq(test.stats.returned_limit, 1);
	ck_assert_uint_eq(test.stats.held, 1);
	ck_assert(timer_is_set(&worker->rest));
	worker->rest.on_time(worker->rest.owner);
	wire_raw_close(&raw);
	wire_raw_take(&raw, test.mailboxes[0]);
	link_fd = raw.link;
	ck_assert_int_ne(link_fd, -1);
	ck_assert_uint_eq(test.stats.held, 0);
	say_hello(7);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	ck_assert_uint_eq(test.stats.unreceipted, 1);
	stop();
}
END_TEST

START_TEST(only_hello_may_come_first)
{
	start(01666);
	hand_off();
	if (_i == 0) {
		wire_raw_send_receipt(
		    link_fd, test.core.workers.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	} else {
		struct fdrecv_wire_hello hello =
		    wire_raw_hello(test_pool_path(0), 7);

		/* The kernel may refuse to send it. */
		if (net_send(link_fd, &hello, sizeof(hello),
			(int[]){link_fd, link_fd}, 2) == -1)
			close(link_fd);
	}
	test_pool_settle(&test);
	ck_assert_uint_eq(test_pool_worker(&test, 0)->links.count, 0);
	ck_assert_uint_eq(test_pool_worker(&test, 0)->conns.count, 0);
	if (_i == 1)
		link_fd = -1;
	stop();
}
END_TEST

START_TEST(a_second_instance_on_a_link_makes_the_mailbox_plain)
{
	start(01666);
	hand_off();
	say_hello(7);
	say_hello(7);
	ck_assert(!test_pool_worker(&test, 0)->shared);
	say_hello(8);
	ck_assert(test_pool_worker(&test, 0)->shared);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_PLAIN);
	stop();
}
END_TEST

/* The mailbox refuses before the HELLO and the receipt behind it were read. */
START_TEST(a_hello_is_read_before_a_death_counts)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;

	start(01666);
	worker = test_pool_worker(&test, 0);
	hand_off();
	hello = wire_raw_hello(test_pool_path(0), 7);
	wire_raw_send_hello(link_fd, &hello, test_pool_path(0));
	wire_raw_send_receipt(
	    link_fd, test.core.workers.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	close(link_fd);
	link_fd = -1;
	wire_raw_close(&raw);
	worker->callbacks->on_death(worker->owner, worker);
	ck_assert_ptr_eq(test_pool_worker(&test, 0), worker);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(test.stats.returned_death, 0);
	stop();
}
END_TEST

/* The parent had said HELLO on a path, and has ended. */
START_TEST(a_hello_of_a_child_waits_for_the_end_of_its_parent)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;

	start(01666);
	worker = test_pool_worker(&test, 0);
	hand_off();
	test_pool_hello(&test, 0, 100);
	hello = wire_raw_hello(test_pool_path(0), 9);
	hello.dead = (uint16_t)worker->instance;
	ck_assert_uint_eq(hello.dead, 1);
	wire_raw_send_hello(link_fd, &hello, test_pool_path(0));
	receipts_catch_up_link(worker);
	ck_assert_uint_eq(worker->instance, 1);
	ck_assert_uint_eq(worker->conns.count, 1);
	ck_assert_uint_eq(worker->links.count, 1);
	test.receipt_conns[0] = fd_close(test.receipt_conns[0]);
	test_pool_settle(&test);
	test_pool_settle(&test);
	ck_assert_uint_eq(worker->instance, 9);
	ck_assert_uint_eq(worker->conns.count, 1);
	ck_assert_uint_eq(worker->links.count, 0);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	ck_assert(!worker->has_left && !worker->shared);
	stop();
}
END_TEST

UNIT_SUITE(receipts_link)
{
	TCase *tc = unit_case(suite, "receipts_link");

	tcase_add_test(tc, the_first_datagram_brings_a_link);
	tcase_add_test(tc, a_mailbox_of_another_mode_gets_a_path);
	tcase_add_test(tc, a_worker_with_a_connection_gets_no_link);
	tcase_add_test(tc, a_mailbox_without_records_gets_no_link);
	tcase_add_test(tc, a_link_that_ends_is_followed_by_another);
	tcase_add_test(tc, a_connection_whose_link_was_lost_comes_back);
	tcase_add_loop_test(tc, only_hello_may_come_first, 0, 2);
	tcase_add_test(tc, a_second_instance_on_a_link_makes_the_mailbox_plain);
	tcase_add_test(tc, a_hello_is_read_before_a_death_counts);
	tcase_add_test(tc, a_hello_of_a_child_waits_for_the_end_of_its_parent);
}
