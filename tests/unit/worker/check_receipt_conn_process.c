/* SPDX-License-Identifier: ISC */
/*
 * The end of the process that sent HELLO, even if other processes have its
 * sockets.
 */
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* A process that sends HELLO for worker 0. */
struct speaker {
	int ends[2];  /* it sends its receipt connection to the first one */
	int confirms; /* connections until that is noticed */
	uint64_t epoch;
	pid_t pid;
};

static void
speak(void *argument)
{
	struct speaker *speaker = argument;
	struct fdrecv_wire_hello hello =
	    wire_raw_hello(test_pool_path(0), 4711);
	int conn = test_pool_connect();

	wire_raw_send_hello(conn, &hello, test_pool_path(0));
	if (speaker->confirms > 0)
		wire_raw_send_receipt(conn, speaker->epoch, FDRECV_WIRE_TAKEN,
		    0, (uint32_t)speaker->confirms);
	unit_must(net_send(speaker->ends[1], "x", 1, &conn, 1) == 1);
	for (;;)
		pause();
}

static void
speaker_start(struct speaker *speaker)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     speaker->ends),
	    0);
	speaker->pid = unit_fork(speak, speaker);
}

/* Gives its receipt connection once it has sent HELLO. */
static int
speaker_conn(struct speaker *speaker)
{
	struct pollfd sent = {.fd = speaker->ends[0], .events = POLLIN};
	int conn;

	ck_assert_int_eq(poll(&sent, 1, 60000), 1);
	conn = net_take(speaker->ends[0]);
	ck_assert_int_ne(conn, -1);
	return conn;
}

static void
speaker_end(struct speaker *speaker)
{
	ck_assert_int_eq(unit_reap(speaker->pid, 1), -SIGKILL);
	close(speaker->ends[0]);
	close(speaker->ends[1]);
}

/* Sends two connections to worker 0, whose process has sent HELLO and then
 * exits. */
static void
die_with_two(struct test_pool *test, int survivor)
{
	struct speaker speaker = {.confirms = 0};
	struct worker *worker;
	int conn;

	test_pool_init(test, 1);
	worker = test_pool_worker(test, 0);
	speaker_start(&speaker);
	conn = speaker_conn(&speaker);
	test_pool_settle(test);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	if (survivor)
		test->receipt_conns[0] = conn;
	else
		fd_close(conn);
	worker->window.size = 2;
	ck_assert_uint_eq(test_pool_put(test, 2), 2);
	dispatch_send(test->pool);
	test_pool_expect(test, 0, "01");
	test_pool_settle(test);
	ck_assert_uint_eq(test->stats.unreceipted, 2);
	speaker_end(&speaker);
	while (test->stats.unreceipted > 0) /* a child may say HELLO */
		ck_assert_int_eq(
		    event_base_loop(test->core.base, EVLOOP_ONCE), 0);
	test_pool_settle(test);
}

START_TEST(the_end_of_the_process_is_the_workers)
{
	struct test_pool test;

	die_with_two(&test, 0);
	ck_assert_uint_eq(test.stats.unreceipted, 0);
	test_pool_holds(&test, "01");
	test_pool_done(&test);
}
END_TEST

/* A child may still serve it. */
START_TEST(where_a_child_keeps_the_link_the_oldest_is_not_given_to_another)
{
	struct test_pool test;

	die_with_two(&test, 1);
	ck_assert_uint_eq(test.stats.unreceipted, 0);
	ck_assert_uint_eq(test.stats.died, 1);
	test_pool_holds(&test, "1");
	ck_assert(test_pool_is_closed(&test, 0));
	ck_assert(!pool_has_worker(test.pool));
	test_pool_done(&test);
}
END_TEST

/* A process may exit before the engine reads its HELLO. */
START_TEST(what_a_process_said_before_its_end_is_heard)
{
	struct test_pool test;
	struct speaker speaker = {.confirms = 1};

	test_pool_init(&test, 1);
	speaker.epoch = test.core.workers.epoch;
	ck_assert_uint_eq(test_pool_put(&test, 1), 1);
	dispatch_send(test.pool);
	test_pool_expect(&test, 0, "0");
	speaker_start(&speaker);
	close(speaker_conn(&speaker));
	speaker_end(&speaker);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(test.stats.returned_death, 0);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(receipt_conn_process)
{
	TCase *tc = unit_case(suite, "link_process");

	tcase_add_test(tc, the_end_of_the_process_is_the_workers);
	tcase_add_test(tc,
	    where_a_child_keeps_the_link_the_oldest_is_not_given_to_another);
	tcase_add_test(tc, what_a_process_said_before_its_end_is_heard);
}
