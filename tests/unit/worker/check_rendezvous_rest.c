/* SPDX-License-Identifier: ISC */
/*
 * Connections to the rendezvous that bring nothing.
 */
#include "fixture/net.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* Otherwise one that does so without end would have all of the engine's
 * time. */
START_TEST(after_one_that_hangs_up_it_rests)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd;

	test_pool_init(&test, 1);
	close(test_pool_connect());
	test_pool_settle(&test);
	ck_assert(timer_is_set(&test.rendezvous.rest));
	ck_assert_uint_eq(test.rendezvous.waiting.count, 0);
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = test_pool_connect();
	wire_raw_send_hello(fd, &hello, test_pool_path(0));
	while (test_pool_worker(&test, 0)->kind != WORKER_RECEIPTED)
		event_base_loop(test.core.base, EVLOOP_ONCE);
	test_pool_done(&test);
	close(fd);
}
END_TEST

START_TEST(a_second_hello_of_one_process_brings_nothing)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd;

	test_pool_init_receipted(&test, 1);
	ck_assert(!timer_is_set(&test.rendezvous.rest));
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = test_pool_connect();
	wire_raw_send_hello(fd, &hello, test_pool_path(0));
	test_pool_settle(&test);
	ck_assert(timer_is_set(&test.rendezvous.rest));
	ck_assert_uint_eq(test_pool_worker(&test, 0)->conns.count, 2);
	test_pool_done(&test);
	close(fd);
}
END_TEST

static int has_no_memory;

static void *
allocate(size_t size)
{
	return has_no_memory ? NULL : malloc(size);
}

/* The worker would not know that it has to say HELLO again. */
START_TEST(without_memory_a_hello_waits_in_the_kernel)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd;

	event_set_mem_functions(allocate, realloc, free);
	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = test_pool_connect();
	wire_raw_send_hello(fd, &hello, test_pool_path(0));
	has_no_memory = 1;
	test_pool_settle(&test);
	has_no_memory = 0;
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_NEW);
	ck_assert_uint_eq(test.rendezvous.waiting.count, 0);
	ck_assert(timer_is_set(&test.rendezvous.rest));
	while (test_pool_worker(&test, 0)->kind != WORKER_RECEIPTED)
		event_base_loop(test.core.base, EVLOOP_ONCE);
	test_pool_done(&test);
	close(fd);
}
END_TEST

static int watches_passing, watches_failing;

int
epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (operation != EPOLL_CTL_ADD || watches_passing-- > 0)
		return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
	if (watches_failing > 0) {
		watches_failing--;
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

/* Others wait in the kernel meanwhile. */
START_TEST(a_connection_that_cannot_be_watched_is_kept)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fds[2];

	test_pool_init(&test, 2);
	for (unsigned int i = 0; i < 2; i++) {
		hello = wire_raw_hello(test_pool_path(i), i + 1);
		fds[i] = test_pool_connect();
		wire_raw_send_hello(fds[i], &hello, test_pool_path(i));
	}
	watches_failing = 2;
	test_pool_settle(&test);
	ck_assert_int_eq(watches_failing, 1);
	ck_assert(timer_is_set(&test.rendezvous.rest));
	rendezvous_catch_up(&test.rendezvous);
	ck_assert_int_eq(watches_failing, 0);
	ck_assert_uint_eq(test.rendezvous.waiting.count, 0);
	for (unsigned int i = 0; i < 2; i++)
		while (test_pool_worker(&test, i)->kind != WORKER_RECEIPTED)
			event_base_loop(test.core.base, EVLOOP_ONCE);
	test_pool_done(&test);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* It is the second one that is added.  The hang-up has to do. */
START_TEST(a_process_that_cannot_be_watched_may_connect)
{
	struct fdrecv_wire_hello hello;
	struct receipt_conn *conn;
	struct test_pool test;
	int fd;

	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = test_pool_connect();
	wire_raw_send_hello(fd, &hello, test_pool_path(0));
	watches_passing = 1;
	watches_failing = 1;
	test_pool_settle(&test);
	ck_assert_int_eq(watches_failing, 0);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_RECEIPTED);
	conn = TAILQ_FIRST(&test_pool_worker(&test, 0)->conns.head);
	ck_assert_int_eq(conn->peer.pidfd, -1);
	test_pool_done(&test);
	close(fd);
}
END_TEST

START_TEST(one_that_is_kept_is_closed_with_the_rendezvous)
{
	struct test_pool test;
	int fd;

	test_pool_init(&test, 1);
	fd = test_pool_connect();
	watches_failing = 1;
	test_pool_settle(&test);
	ck_assert(timer_is_set(&test.rendezvous.rest));
	test_pool_done(&test);
	ck_assert(net_polls(fd, POLLHUP));
	close(fd);
}
END_TEST

#define OTHERS 6

static int others[OTHERS];

/* That many others say HELLO for the mailbox of worker 0. */
static void
say_hello_as_others(struct test_pool *test, int count)
{
	struct fdrecv_wire_hello hello = wire_raw_hello(test_pool_path(0), 1);
	int fd;

	for (int i = 0; i < count; i++) {
		hello.instance = 100 + (uint64_t)i;
		fd = test_pool_connect();
		wire_raw_send_hello(fd, &hello, test_pool_path(0));
		rendezvous_catch_up(&test->rendezvous);
		others[i] = fd;
	}
}

/* Each takes two descriptors, and the end of one lets more come in. */
START_TEST(a_mailbox_has_few_connections_also_while_one_ends)
{
	struct test_pool test;
	struct worker *worker;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	if (_i == 1)
		worker->ending = TAILQ_FIRST(&worker->conns.head);
	say_hello_as_others(&test, OTHERS);
	ck_assert_uint_eq(worker->conns.count, 4 + (size_t)_i);
	ck_assert_uint_eq(worker->quota->links.count, worker->conns.count);
	worker->ending = NULL;
	/* The owner has most of all descriptors. */
	close(others[0]);
	test.core.reserve.first = 1;
	say_hello_as_others(&test, 1);
	ck_assert_uint_eq(worker->conns.count, 1);
	for (int i = 0; i < OTHERS; i++)
		close(others[i]);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(rendezvous_rest)
{
	TCase *tc = unit_case(suite, "rest");

	tcase_add_loop_test(
	    tc, a_mailbox_has_few_connections_also_while_one_ends, 0, 2);
	tcase_add_test(tc, without_memory_a_hello_waits_in_the_kernel);
	tcase_add_test(tc, a_connection_that_cannot_be_watched_is_kept);
	tcase_add_test(tc, a_process_that_cannot_be_watched_may_connect);
	tcase_add_test(tc, one_that_is_kept_is_closed_with_the_rendezvous);
	tcase_add_test(tc, after_one_that_hangs_up_it_rests);
	tcase_add_test(tc, a_second_hello_of_one_process_brings_nothing);
}
