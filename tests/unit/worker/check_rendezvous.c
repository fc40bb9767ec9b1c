/* SPDX-License-Identifier: ISC */
/*
 * First contact: the HELLOs that are believed, and that unidentified
 * connections are limited in number and time.
 */
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "engine/worker/unreceipted.h"

#include "wire/question.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define OF_A_USER 8
#define OF_ALL 64
#define OF_A_WORKER 4

/* Sends HELLO over a new connection and gives that. */
static int
say_hello(struct test_pool *test, const struct fdrecv_wire_hello *hello)
{
	int fd = test_pool_connect();

	wire_raw_send_hello(fd, hello, test_pool_path(0));
	test_pool_settle(test);
	return fd;
}

START_TEST(a_hello_makes_a_worker_a_receipted_one)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct test_pool test;
	int fd;

	test_pool_init(&test, 1);
	worker = test_pool_worker(&test, 0);
	ck_assert_int_eq(worker->kind, WORKER_NEW);
	hello = wire_raw_hello(test_pool_path(0), 4711);
	hello.weight = 200;
	hello.flags = FDRECV_WIRE_COUNTED | FDRECV_WIRE_PAUSED;
	hello.connections = 7;
	fd = say_hello(&test, &hello);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	ck_assert_uint_eq(worker->instance, 4711);
	ck_assert_uint_eq(worker->share.weight, 200);
	ck_assert(worker->counts_connections);
	ck_assert(worker->paused);
	ck_assert_uint_eq(worker->connections, 7);
	ck_assert_uint_eq(test.rendezvous.waiting.count, 0);
	ck_assert_int_eq(persistent_find(test.core.persistent,
			     worker->mailbox.device, worker->mailbox.inode),
	    PERSISTENT_RECEIPTED);
	test_pool_done(&test);
	close(fd);
}
END_TEST

START_TEST(a_hello_may_come_before_its_worker_is_found)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd;

	test_pool_init(&test, 0);
	watch_close(&test.watch); /* found only by the scan below */
	test_pool_open(&test, 0);
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = say_hello(&test, &hello);
	wire_raw_send_receipt(
	    fd, test.core.workers.epoch, FDRECV_WIRE_PAUSE, 0, 0);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.rendezvous.waiting.count, 1);
	finder_scan(&test.pool->finder);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_RECEIPTED);
	ck_assert_uint_eq(test.rendezvous.waiting.count, 0);
	ck_assert(!test_pool_worker(&test, 0)->paused);
	test_pool_settle(&test); /* and the messages after it are read */
	ck_assert(test_pool_worker(&test, 0)->paused);
	test_pool_done(&test);
	close(fd);
}
END_TEST

START_TEST(a_hello_of_another_mailbox_is_nobodys)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd;

	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	if (_i == 0)
		hello.inode++;
	else if (_i == 1)
		hello.device++;
	else if (_i == 2)
		test_pool_worker(&test, 0)->name[0] = 'b';
	else
		test_pool_worker(&test, 0)->mailbox.owner++;
	fd = say_hello(&test, &hello);
	ck_assert_int_eq(TAILQ_FIRST(&test.pool->workers)->kind, WORKER_NEW);
	ck_assert_uint_eq(test.rendezvous.waiting.count, 1);
	ck_assert(!net_polls(fd, POLLHUP));
	test_pool_done(&test);
	close(fd);
}
END_TEST

START_TEST(two_instances_make_a_worker_plain_for_good)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct test_pool test;
	int fds[2];

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	dispatch_send(test.pool);
	test_pool_expect(&test, 0, "01");
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	hello = wire_raw_hello(test_pool_path(0), 4711);
	fds[0] = say_hello(&test, &hello);
	ck_assert_int_eq(worker->kind, WORKER_PLAIN);
	ck_assert_uint_eq(test.stats.unreceipted, 0);
	ck_assert_uint_eq(test.stats.plain, 2);
	fds[1] = say_hello(&test, &hello);
	ck_assert_int_eq(worker->kind, WORKER_PLAIN);
	wire_raw_send_receipt(
	    fds[1], test.core.workers.epoch, FDRECV_WIRE_PAUSE, 0, 0);
	close(fds[0]); /* no worker dies of it */
	test_pool_settle(&test);
	ck_assert(!worker->paused);
	ck_assert_ptr_eq(test_pool_worker(&test, 0), worker);
	ck_assert(!worker->has_left);
	test_pool_done(&test);
	close(fds[1]);
}
END_TEST

START_TEST(one_instance_may_come_again_and_keeps_a_few_connections)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fds[OF_A_WORKER];

	test_pool_init_receipted(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	for (int i = 0; i < OF_A_WORKER; i++) {
		ck_assert(!net_polls(test.receipt_conns[0], POLLHUP));
		fds[i] = say_hello(&test, &hello);
	}
	while (!net_polls(test.receipt_conns[0], POLLHUP))
		event_base_loop(test.core.base, EVLOOP_ONCE); /* it rests */
	ck_assert(!net_polls(fds[0], POLLHUP));
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_RECEIPTED);
	ck_assert(!test_pool_worker(&test, 0)->has_left);
	test_pool_done(&test);
	for (int i = 0; i < OF_A_WORKER; i++)
		close(fds[i]);
}
END_TEST

START_TEST(who_says_nothing_or_is_not_found_is_dropped_after_a_while)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int silent, unknown;

	test_pool_init_receipted(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	hello.inode++;
	silent = test_pool_connect();
	unknown = say_hello(&test, &hello);
	ck_assert(!net_polls(silent, POLLHUP));
	test_pool_await(&test, silent, POLLHUP);
	test_pool_await(&test, unknown, POLLHUP);
	ck_assert_uint_eq(test.rendezvous.waiting.count, 0);
	ck_assert(!net_polls(test.receipt_conns[0], POLLHUP));
	test_pool_done(&test);
	close(silent);
	close(unknown);
}
END_TEST

START_TEST(of_one_user_only_a_few_may_wait)
{
	struct test_pool test;
	int fds[OF_A_USER + 1];

	test_pool_init(&test, 0);
	for (int i = 0; i <= OF_A_USER; i++)
		fds[i] = test_pool_connect();
	test_pool_settle(&test);
	for (int i = 0; i < OF_A_USER; i++)
		ck_assert(!net_polls(fds[i], POLLHUP));
	ck_assert(net_polls(fds[OF_A_USER], POLLHUP));
	ck_assert_uint_eq(test.rendezvous.waiting.count, OF_A_USER);
	test_pool_done(&test);
	for (int i = 0; i <= OF_A_USER; i++)
		close(fds[i]);
}
END_TEST

START_TEST(of_all_the_oldest_makes_room)
{
	static int fds[OF_ALL + 1];
	struct receipt_conn *conn;
	struct test_pool test;

	test_pool_init(&test, 0);
	for (int i = 0; i <= OF_ALL; i++) {
		ck_assert(!net_polls(fds[0], POLLHUP) || i == 0);
		fds[i] = test_pool_connect();
		test_pool_settle(&test);
		conn = TAILQ_LAST(
		    &test.rendezvous.waiting.head, receipt_conn_head);
		ck_assert_ptr_nonnull(conn);
		conn->peer.uid =
		    (uid_t)(100000 + i); /* as if of another user */
	}
	ck_assert(net_polls(fds[0], POLLHUP));
	for (int i = 1; i <= OF_ALL; i++)
		ck_assert(!net_polls(fds[i], POLLHUP));
	ck_assert_uint_eq(test.rendezvous.waiting.count, OF_ALL);
	test_pool_done(&test);
	for (int i = 0; i <= OF_ALL; i++)
		close(fds[i]);
}
END_TEST

START_TEST(what_would_be_read_soon_can_be_read_now)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd = -1;

	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = test_pool_connect();
	wire_raw_send_hello(fd, &hello, test_pool_path(0));
	rendezvous_catch_up(&test.rendezvous);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_RECEIPTED);
	ck_assert_str_eq(
	    test.core.workers.rendezvous_path, unit_path("rendezvous"));
	test_pool_done(&test);
	close(fd);
}
END_TEST

START_TEST(one_that_is_not_open_has_nothing_to_read)
{
	struct worker_context context = {.epoch = 1};
	struct rendezvous rendezvous;

	rendezvous_init(&rendezvous, &context, NULL, NULL);
	ck_assert_str_eq(context.rendezvous_path, "");
	rendezvous_catch_up(&rendezvous);
	ck_assert_uint_eq(rendezvous.waiting.count, 0);
	rendezvous_close(&rendezvous);
}
END_TEST

/* When its mailbox is closed, nothing is sent to it that would show that. */
START_TEST(a_worker_that_is_heard_late_is_looked_after)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct test_pool test;

	test_pool_init(&test, 1);
	worker = test_pool_worker(&test, 0);
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	test_pool_expect(&test, 0, "0");
	hello = wire_raw_hello(test_pool_path(0), 1);
	test_pool_close(&test, 0);
	test.receipt_conns[0] = test_pool_connect();
	wire_raw_send_hello(test.receipt_conns[0], &hello, test_pool_path(0));
	timer_stop(&worker->check);
	worker->check.on_time(worker);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	ck_assert_uint_eq(test.stats.unreceipted, 1);
	ck_assert(timer_is_set(&worker->check));
	test_pool_done(&test);
}
END_TEST

START_TEST(after_an_error_it_rests)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd, rendezvous;

	test_pool_init(&test, 1);
	rendezvous = test.rendezvous.fd;
	test.rendezvous.fd = -1;
	rendezvous_catch_up(&test.rendezvous);
	test.rendezvous.fd = rendezvous;
	ck_assert(timer_is_set(&test.rendezvous.rest));
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = say_hello(&test, &hello);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_NEW);
	test.rendezvous.rest.on_time(&test.rendezvous);
	test_pool_settle(&test);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_RECEIPTED);
	test_pool_done(&test);
	close(fd);
}
END_TEST

/* Asks for a listener.  The kind of the answer, or -1 if the connection was
 * closed without one. */
static int
ask(struct test_pool *test, const struct fdrecv_wire_question *question,
    const char *name, size_t length)
{
	int fd = test_pool_connect();
	struct fdrecv_wire_answer answer = {.kind = 77};
	struct iovec parts[] = {
	    {(void *)(uintptr_t)question, sizeof(*question)},
	    {(void *)(uintptr_t)name, length}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t n;

	ck_assert_int_gt(sendmsg(fd, &message, 0), 0);
	test_pool_await(test, fd, POLLIN); /* it rests after each of them */
	n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (n > 0) {
		ck_assert_int_eq(n, sizeof(answer));
		ck_assert_mem_eq(answer.magic, FDRECV_WIRE_ANSWER_MAGIC, 4);
		ck_assert_int_eq(recv(fd, &answer, 1, MSG_DONTWAIT), 0);
	}
	ck_assert_int_ne(n, -1); /* it is closed in any case */
	ck_assert_uint_eq(test->rendezvous.waiting.count, 0);
	close(fd);
	return n > 0 ? answer.kind : -1;
}

START_TEST(anyone_may_ask_what_a_listener_is)
{
	const struct fdrecv_wire_question good = {
	    .magic = FDRECV_WIRE_QUESTION_MAGIC,
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(good),
	    .name_length = 5};
	struct fdrecv_wire_question bad[] = {good, good, good, good};
	char longest[FDRECV_WIRE_LISTENER_MAX + 1];
	struct test_pool test;

	test_pool_init(&test, 1);
	ck_assert_int_eq(ask(&test, &good, "lends", 5), FDRECV_WIRE_LENDS);
	ck_assert_int_eq(ask(&test, &good, "lendsX", 6), FDRECV_WIRE_LENDS);
	ck_assert_int_eq(ask(&test, &good, "other", 5), FDRECV_WIRE_NONE);
	bad[0].name_length = 6;
	bad[1].version++;
	bad[2].size = sizeof(good) + 6;
	bad[3].size = sizeof(good) - 1;
	for (size_t i = 0; i < UNIT_COUNT(bad); i++)
		ck_assert_int_eq(ask(&test, &bad[i], "lends", 5), -1);
	ck_assert_int_eq(ask(&test, &bad[0], "drains", 6), -1);
	memset(longest, 'x', sizeof(longest));
	bad[0].name_length = sizeof(longest) - 1;
	ck_assert_int_eq(
	    ask(&test, &bad[0], longest, sizeof(longest)), FDRECV_WIRE_NONE);
	bad[0].name_length++;
	ck_assert_int_eq(ask(&test, &bad[0], longest, sizeof(longest)), -1);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(rendezvous)
{
	TCase *tc = unit_case(suite, "rendezvous");

	tcase_add_test(tc, a_hello_makes_a_worker_a_receipted_one);
	tcase_add_test(tc, a_hello_may_come_before_its_worker_is_found);
	tcase_add_loop_test(tc, a_hello_of_another_mailbox_is_nobodys, 0, 4);
	tcase_add_test(tc, two_instances_make_a_worker_plain_for_good);
	tcase_add_test(
	    tc, one_instance_may_come_again_and_keeps_a_few_connections);
	tcase_add_test(
	    tc, who_says_nothing_or_is_not_found_is_dropped_after_a_while);
	tcase_add_test(tc, of_one_user_only_a_few_may_wait);
	tcase_add_test(tc, of_all_the_oldest_makes_room);
	tcase_add_test(tc, what_would_be_read_soon_can_be_read_now);
	tcase_add_test(tc, one_that_is_not_open_has_nothing_to_read);
	tcase_add_test(tc, a_worker_that_is_heard_late_is_looked_after);
	tcase_add_test(tc, after_an_error_it_rests);
	tcase_add_test(tc, anyone_may_ask_what_a_listener_is);
}
