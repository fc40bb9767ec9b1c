/* SPDX-License-Identifier: ISC */
/*
 * Receipt rings in the engine: which workers are offered one, when it is read,
 * and what a worker that writes nonsense can cause.
 */
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/vector.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/worker/receipt_conn.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct test_pool test;
static struct fdrecv_wire_ring *page; /* the worker's end */

/* Gives the memory that is offered over a worker's receipt connection. */
static int
offered(void)
{
	struct fdrecv_wire_offer offer;
	size_t count = 1;
	int fd;

	ck_assert_int_eq(net_receive(test.receipt_conns[0], &offer,
			     sizeof(offer), &fd, &count),
	    (ssize_t)sizeof(offer));
	ck_assert_uint_eq(count, 1);
	ck_assert_mem_eq(offer.magic, "bfdr", 4);
	ck_assert_uint_eq(offer.version, 1);
	ck_assert_uint_eq(offer.size, sizeof(offer));
	return fd;
}

static void
say_hello(uint16_t flags)
{
	struct fdrecv_wire_hello hello;

	test_pool_init(&test, 1);
	hello = wire_raw_hello(test_pool_path(0), 1);
	hello.flags = flags;
	test.receipt_conns[0] = test_pool_connect();
	wire_raw_send_hello(test.receipt_conns[0], &hello, test_pool_path(0));
	test_pool_settle(&test);
	ck_assert_int_eq(test_pool_worker(&test, 0)->kind, WORKER_RECEIPTED);
	test_pool_worker(&test, 0)->window.size = 32;
}

/* A worker with a ring that has received count connections. */
static void
start(size_t count)
{
	static struct wire_raw raw;
	int fd;

	say_hello(FDRECV_WIRE_OFFER);
	fd = offered();
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	page = mmap(
	    NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	close(fd);
	ck_assert_uint_eq(test_pool_put(&test, count), count);
	dispatch_send(test.pool);
	wire_raw_take(&raw, test.mailboxes[0]);
	wire_raw_close(&raw);
}

static void
stop(void)
{
	munmap(page, sizeof(*page));
	test_pool_done(&test);
}

static void
write_receipt(uint64_t sequence)
{
	page->sequences[page->count++ % FDRECV_WIRE_RING_SLOTS] = sequence;
}

START_TEST(who_does_not_ask_is_offered_none)
{
	char byte;

	say_hello(0);
	ck_assert_int_eq(
	    recv(test.receipt_conns[0], &byte, 1, MSG_DONTWAIT), -1);
	test_pool_done(&test);
}
END_TEST

START_TEST(what_is_written_is_read_while_it_is_watched)
{
	start(5);
	ck_assert_uint_eq(page->watched, 0);
	receipt_ring_list_watch(&test.core.workers.rings, 1, clock_us());
	ck_assert_uint_eq(page->watched, 1);
	write_receipt(0);
	write_receipt(1);
	write_receipt(3);
	receipt_ring_list_look(&test.core.workers.rings, clock_us());
	ck_assert_uint_eq(test.stats.taken, 3);
	ck_assert_uint_eq(page->read, 3);
	ck_assert(test_pool_is_closed(&test, 3));
	ck_assert(!test_pool_is_closed(&test, 2));
	write_receipt(2);
	receipt_ring_list_look(&test.core.workers.rings, clock_us());
	ck_assert_uint_eq(test.stats.taken, 4);
	stop();
}
END_TEST

START_TEST(the_last_look_is_after_the_worker_is_told)
{
	start(2);
	receipt_ring_list_watch(&test.core.workers.rings, 1, clock_us());
	write_receipt(1);
	receipt_ring_list_watch(&test.core.workers.rings, 0, clock_us());
	ck_assert_uint_eq(page->watched, 0);
	ck_assert_uint_eq(test.stats.taken, 1);
	stop();
}
END_TEST

/* Its owner has had the time for what brings nothing.  What it has written does
 * not cost anything meanwhile, and is read when that is over, though nobody
 * watches the ring any more. */
START_TEST(a_ring_whose_owner_rests_is_not_looked_at_until_that_is_over)
{
	struct receipt_ring_list *rings = &test.core.workers.rings;
	struct link_share *share;

	start(2);
	share = &test_pool_worker(&test, 0)->quota->links;
	receipt_ring_list_watch(rings, 1, clock_us());
	ck_assert_uint_eq(rings->count, 1);
	share->effort->until_us = clock_us() + UINT64_C(3600000000);
	write_receipt(0);
	receipt_ring_list_look(rings, clock_us());
	ck_assert_uint_eq(rings->count, 0);
	write_receipt(1);
	receipt_ring_list_watch(rings, 0, clock_us());
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 0);
	share->effort->until_us = 0;
	timer_set(&share->timer, 0);
	while (test.stats.taken < 2)
		event_base_loop(test.core.base, EVLOOP_ONCE);
	ck_assert_uint_eq(rings->count, 0); /* it owes none */
	stop();
}
END_TEST

START_TEST(what_a_worker_wrote_before_it_died_counts)
{
	start(3);
	receipt_ring_list_watch(&test.core.workers.rings, 1, clock_us());
	write_receipt(0);
	write_receipt(1);
	test_pool_close(&test, 0);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 2);
	ck_assert_uint_eq(test.stats.returned_death, 1);
	test_pool_holds(&test, "2");
	stop();
}
END_TEST

/* The kernel reports that the offer was not read before it reports the message
 * that can be read. */
START_TEST(what_a_worker_said_before_it_died_counts_with_the_offer_unread)
{
	say_hello(FDRECV_WIRE_OFFER);
	ck_assert_uint_eq(test_pool_put(&test, 2), 2);
	dispatch_send(test.pool);
	wire_raw_send_receipt(test.receipt_conns[0], test.core.workers.epoch,
	    FDRECV_WIRE_TAKEN, 0, 1);
	test_pool_close(&test, 0);
	test_pool_settle(&test);
	ck_assert_uint_eq(test.stats.taken, 1);
	test_pool_holds(&test, "1");
	test_pool_done(&test);
}
END_TEST

START_TEST(nonsense_means_nothing)
{
	start(3);
	receipt_ring_list_watch(&test.core.workers.rings, 1, clock_us());
	page->count += FDRECV_WIRE_RING_SLOTS + 1;
	receipt_ring_list_look(&test.core.workers.rings, clock_us());
	ck_assert_uint_eq(test.stats.taken, 0);
	write_receipt(77);
	write_receipt(UINT64_MAX);
	write_receipt(1);
	write_receipt(1);
	receipt_ring_list_look(&test.core.workers.rings, clock_us());
	ck_assert_uint_eq(test.stats.taken, 1);
	ck_assert_uint_eq(test.stats.unreceipted, 2);
	stop();
}
END_TEST

/* A process that writes as fast as the engine reads. */
static void
write_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		__atomic_store_n(&page->count,
		    __atomic_load_n(&page->read, __ATOMIC_ACQUIRE) +
			FDRECV_WIRE_RING_SLOTS / 2,
		    __ATOMIC_RELEASE);
}

START_TEST(a_worker_that_never_stops_writing_holds_up_nobody)
{
	/* On one shared processor each round takes milliseconds. */
	uint64_t end_ms = clock_ms() + 1000;
	uint32_t before, most = 0;
	pid_t writer;

	start(3);
	writer = unit_fork(write_for_ever, NULL);
	for (int i = 0; i < 1000 && clock_ms() < end_ms; i++) {
		before = page->read;
		while (
		    __atomic_load_n(&page->count, __ATOMIC_ACQUIRE) == before)
			sched_yield();
		receipt_ring_list_look(&test.core.workers.rings, clock_us());
		if (page->read - before > most)
			most = page->read - before;
	}
	ck_assert_int_eq(unit_reap(writer, 1), -SIGKILL);
	ck_assert_uint_lt(most, 2 * FDRECV_WIRE_RING_SLOTS);
	stop();
}
END_TEST

/* The last places of the ring and the first ones are read together. */
START_TEST(receipts_go_round)
{
	uint64_t end_ms = clock_ms() + 50000;

	start(4);
	receipt_ring_list_watch(&test.core.workers.rings, 1, clock_us());
	for (int i = 0; i < FDRECV_WIRE_RING_SLOTS - 2; i++) {
		write_receipt(99);
		receipt_ring_list_look(&test.core.workers.rings, clock_us());
	}
	for (uint64_t i = 0; i < 4; i++)
		write_receipt(i);
	/* On a busy machine the first ones have taken their owner's share. */
	do {
		receipt_ring_list_look(&test.core.workers.rings, clock_us());
		event_base_loop(test.core.base, EVLOOP_NONBLOCK);
	} while (test.stats.taken < 4 && clock_ms() < end_ms);
	ck_assert_uint_eq(test.stats.taken, 4);
	stop();
}
END_TEST

START_TEST(a_full_ring_is_read)
{
	start(1);
	receipt_ring_list_watch(&test.core.workers.rings, 1, clock_us());
	for (int i = 0; i < FDRECV_WIRE_RING_SLOTS - 1; i++)
		write_receipt(99);
	write_receipt(0);
	receipt_ring_list_look(&test.core.workers.rings, clock_us());
	ck_assert_uint_eq(test.stats.taken, 1);
	stop();
}
END_TEST

START_TEST(the_engine_offers_as_in_the_vector)
{
	unsigned char wanted[64], got[sizeof(wanted)];
	size_t size, count = 1;
	int fd;

	if (!vector_is_of_this_host())
		return;
	size = vector_read("offer.hex", wanted, sizeof(wanted));
	say_hello(FDRECV_WIRE_OFFER);
	ck_assert_int_eq(
	    net_receive(test.receipt_conns[0], got, sizeof(got), &fd, &count),
	    (ssize_t)size);
	ck_assert_mem_eq(got, wanted, size);
	ck_assert_uint_eq(count, 1);
	close(fd);
	test_pool_done(&test);
}
END_TEST

/* It writes to the places that the comments there name. */
START_TEST(the_engine_reads_the_ring_of_the_vector)
{
	static struct fdrecv_wire_ring laid;
	static unsigned char bytes[sizeof(laid) + 1];
	struct receipt_ring ring = {.page = &laid, .read = 254};
	struct receipt_ring_list list;
	uint64_t sequence;

	if (!vector_is_of_this_host())
		return;
	ck_assert_uint_eq(
	    vector_read("ring.hex", bytes, sizeof(bytes)), sizeof(laid));
	memcpy(&laid, bytes, sizeof(laid));
	ck_assert_uint_eq(receipt_ring_take(&ring, &sequence), 3);
	ck_assert_uint_eq(sequence, 1000);
	ck_assert_uint_eq(receipt_ring_take(&ring, &sequence), 1);
	ck_assert_uint_eq(sequence, 7);
	ck_assert_uint_eq(receipt_ring_take(&ring, &sequence), 0);
	ck_assert_int_eq(receipt_ring_list_init(&list, NULL), 0);
	TAILQ_INSERT_TAIL(&list.head, &ring, entry);
	list.watched = 1;
	receipt_ring_list_watch(&list, 0, clock_us());
	receipt_ring_list_done(&list);
	bytes[0] = 0; /* watched */
	bytes[4] = 2; /* read: 258 */
	bytes[5] = 1;
	ck_assert_mem_eq(&laid, bytes, sizeof(laid));
}
END_TEST

UNIT_SUITE(receipt_ring)
{
	TCase *tc = unit_case(suite, "ring");

	tcase_add_test(tc, who_does_not_ask_is_offered_none);
	tcase_add_test(tc, what_is_written_is_read_while_it_is_watched);
	tcase_add_test(tc, the_last_look_is_after_the_worker_is_told);
	tcase_add_test(tc, what_a_worker_wrote_before_it_died_counts);
	tcase_add_test(
	    tc, what_a_worker_said_before_it_died_counts_with_the_offer_unread);
	tcase_add_test(tc, nonsense_means_nothing);
	tcase_add_test(tc, a_worker_that_never_stops_writing_holds_up_nobody);
	tcase_add_test(tc, receipts_go_round);
	tcase_add_test(tc, a_full_ring_is_read);
	tcase_add_test(
	    tc, a_ring_whose_owner_rests_is_not_looked_at_until_that_is_over);
	tcase_add_test(tc, the_engine_offers_as_in_the_vector);
	tcase_add_test(tc, the_engine_reads_the_ring_of_the_vector);
}
