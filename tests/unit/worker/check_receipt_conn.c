/* SPDX-License-Identifier: ISC */
/*
 * Receipt connections: their messages, messages that are not understood, and
 * that their worker ends with them.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* A worker that has received count connections and confirmed none. */
static struct worker *
init_sent(struct test_pool *test, size_t count)
{
	static struct wire_raw raw;

	test_pool_init_receipted(test, 1);
	ck_assert_uint_eq(test_pool_put(test, count), count);
	dispatch_send(test->pool);
	wire_raw_take(&raw, test->mailboxes[0]);
	ck_assert_uint_eq(raw.count, count);
	wire_raw_close(&raw);
	return test_pool_worker(test, 0);
}

static void
say(struct test_pool *test, uint64_t epoch, enum fdrecv_wire_receipt_kind kind,
    uint64_t sequence, uint32_t count)
{
	wire_raw_send_receipt(
	    test->receipt_conns[0], epoch, kind, sequence, count);
	test_pool_settle(test);
}

START_TEST(each_kind_of_receipt_is_heeded)
{
	struct test_pool test;
	struct worker *worker = init_sent(&test, 4);
	uint64_t epoch = test.core.workers.epoch;

	say(&test, epoch, FDRECV_WIRE_TAKEN, 0, 2);
	ck_assert_uint_eq(test.stats.taken, 2);
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	say(&test, epoch, FDRECV_WIRE_PAUSE, 0, 0);
	ck_assert(worker->paused);
	say(&test, epoch, FDRECV_WIRE_RESUME, 0, 0);
	ck_assert(!worker->paused);
	say(&test, epoch, FDRECV_WIRE_LIMIT, 2, 1);
	ck_assert_uint_eq(test.stats.returned_limit, 1);
	say(&test, epoch, FDRECV_WIRE_DENIED, 3, 1);
	ck_assert_uint_eq(test.stats.returned_denied, 1);
	test_pool_holds(&test, "32");
	test_pool_done(&test);
}
END_TEST

START_TEST(receipts_of_another_epoch_are_ignored)
{
	struct test_pool test;
	struct worker *worker = init_sent(&test, 2);

	say(&test, test.core.workers.epoch + 1, FDRECV_WIRE_TAKEN, 0, 1);
	say(&test, test.core.workers.epoch + 1, FDRECV_WIRE_LIMIT, 0, 1);
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	/* An end needs no number: it counts even before an epoch is known. */
	say(&test, test.core.workers.epoch + 1, FDRECV_WIRE_PAUSE, 0, 0);
	ck_assert(worker->paused);
	ck_assert_ptr_eq(test_pool_worker(&test, 0), worker);
	test_pool_done(&test);
}
END_TEST

struct said {
	struct fdrecv_wire_receipts head;
	struct fdrecv_wire_receipt items[FDRECV_WIRE_RECEIPTS_MAX];
};

/* A message that confirms as many as it can, one by one. */
static void
say_many(struct said *out, uint64_t epoch)
{
	*out = (struct said){{.version = FDRECV_WIRE_VERSION,
				 .size = sizeof(out->head),
				 .count = FDRECV_WIRE_RECEIPTS_MAX,
				 .receipt_size = sizeof(out->items[0]),
				 .connections = 7,
				 .epoch = epoch},
	    {{0}}};
	memcpy(out->head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
	    FDRECV_WIRE_MAGIC_SIZE);
	for (uint64_t i = 0; i < FDRECV_WIRE_RECEIPTS_MAX; i++)
		out->items[i] = (struct fdrecv_wire_receipt){
		    .sequence = i, .count = 1, .kind = FDRECV_WIRE_TAKEN};
}

START_TEST(a_message_of_many_is_heeded)
{
	struct test_pool test;
	struct worker *worker = init_sent(&test, 9);
	struct said said;

	say_many(&said, test.core.workers.epoch);
	ck_assert_int_eq(send(test.receipt_conns[0], &said, sizeof(said), 0),
	    (ssize_t)sizeof(said));
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 9);
	ck_assert_uint_eq(worker->connections, 7);
	test_pool_done(&test);
}
END_TEST

START_TEST(receipts_that_are_none_are_ignored)
{
	struct test_pool test;
	struct worker *worker = init_sent(&test, 2);
	struct said said;
	size_t size = sizeof(said);

	say_many(&said, test.core.workers.epoch);
	if (_i == 0)
		said.head.magic[0] = 'h';
	else if (_i == 1)
		said.head.version++;
	else if (_i == 2)
		said.head.size--;
	else if (_i == 3)
		said.head.size = UINT16_MAX;
	else if (_i == 4)
		said.head.receipt_size--;
	else if (_i == 5)
		said.head.count++;
	else
		size = _i == 6 ? sizeof(said) - 1 : sizeof(said.head) - 1;
	ck_assert_int_eq(
	    send(test.receipt_conns[0], &said, size, 0), (ssize_t)size);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	ck_assert_uint_eq(worker->connections, 0);
	ck_assert_ptr_eq(test_pool_worker(&test, 0), worker);
	say(&test, test.core.workers.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	ck_assert_uint_eq(test.stats.taken, 1);
	test_pool_done(&test);
}
END_TEST

START_TEST(a_first_message_that_is_no_hello_ends_the_link)
{
	struct fdrecv_wire_hello hello;
	struct test_pool test;
	int fd;

	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	fd = test_pool_connect();
	if (_i == 0)
		hello.magic[0] = 'r';
	else if (_i == 1)
		hello.weight = 0;
	else if (_i == 2)
		hello.instance = 0;
	else if (_i == 3)
		hello.name_length = 200;
	if (_i < 4)
		wire_raw_send_hello(fd, &hello, test_pool_path(0));
	else
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	test_pool_settle(&test);
	ck_assert(net_polls(fd, POLLHUP));
	ck_assert_uint_eq(test.rendezvous.waiting.count, 0);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_NEW);
	test_pool_done(&test);
	close(fd);
}
END_TEST

START_TEST(a_worker_that_hangs_up_has_died)
{
	struct test_pool test;
	struct worker *worker = init_sent(&test, 2);

	if (_i == 0)
		test.receipt_conns[0] = fd_close(test.receipt_conns[0]);
	else
		test_pool_close(&test, 0); /* its mailbox too */
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.returned_death, 2);
	test_pool_holds(&test, "01");
	ck_assert(!pool_has_worker(test.pool));
	if (_i == 0)
		ck_assert_ptr_eq(test_pool_worker(&test, 0), worker);
	else
		ck_assert_ptr_null(test_pool_worker(&test, 0));
	test_pool_done(&test);
}
END_TEST

START_TEST(what_was_said_before_the_end_is_heard)
{
	struct test_pool test;

	init_sent(&test, 3);
	for (uint64_t i = 0; i < 2; i++)
		wire_raw_send_receipt(test.receipt_conns[0],
		    test.core.workers.epoch, FDRECV_WIRE_TAKEN, i, 1);
	test_pool_close(&test, 0);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 2);
	test_pool_holds(&test, "2");
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(receipt_conn)
{
	TCase *tc = unit_case(suite, "receipt_conn");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, each_kind_of_receipt_is_heeded);
	tcase_add_test(tc, receipts_of_another_epoch_are_ignored);
	tcase_add_test(tc, a_message_of_many_is_heeded);
	tcase_add_loop_test(tc, receipts_that_are_none_are_ignored, 0, 8);
	tcase_add_loop_test(
	    tc, a_first_message_that_is_no_hello_ends_the_link, 0, 5);
	tcase_add_loop_test(tc, a_worker_that_hangs_up_has_died, 0, 2);
	tcase_add_test(tc, what_was_said_before_the_end_is_heard);
}
