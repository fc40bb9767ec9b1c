/* SPDX-License-Identifier: ISC */
/*
 * The receipt ring in the worker: which offers are accepted, and which receipts
 * are written to the ring instead of being sent.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"
#include "fixture/vector.h"

#include "wire/ring.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static struct test_mailbox mailbox;
static struct fake_engine engine;
static struct fdrecv_wire_ring *ring; /* the engine's end */

static void
offer(const void *message, size_t length, off_t size, int seals, size_t count)
{
	int fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int fds[] = {fd, fd};

	ck_assert_int_eq(ftruncate(fd, size), 0);
	ring = mmap(
	    NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(ring, MAP_FAILED);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	ck_assert_int_eq(net_send(engine.conn, message, length, fds, count),
	    (ssize_t)length);
	close(fd);
}

static void
meet(void)
{
	fake_engine_start(&engine, 0, 1); /* as in the vector */
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	ck_assert_uint_eq(
	    engine.hello.flags, FDRECV_WIRE_OFFER | FDRECV_WIRE_LINK);
}

static const struct fdrecv_wire_offer valid = {.magic = {'b', 'f', 'd', 'r'},
    .version = FDRECV_WIRE_VERSION,
    .size = sizeof(valid)};

static void
start(off_t size, int seals)
{
	meet();
	offer(&valid, sizeof(valid), size, seals, 1);
}

static void
stop(void)
{
	test_mailbox_close(&mailbox);
	munmap(ring, sizeof(*ring));
	fake_engine_stop(&engine);
}

/* One connection, from the mailbox to its end. */
static void
serve(uint64_t sequence)
{
	int end;

	engine.sequence = sequence;
	end = fake_engine_connection(&engine, &mailbox);
	fake_engine_expect(&mailbox, sequence);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	close(end);
}

START_TEST(a_watched_ring_is_written_to)
{
	start(sizeof(*ring), SEALS);
	ring->watched = 1;
	serve(40);
	serve(7);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(ring->count, 2);
	ck_assert_uint_eq(ring->sequences[0], 40);
	ck_assert_uint_eq(ring->sequences[1], 7);
	stop();
}
END_TEST

START_TEST(receipts_are_sent_while_the_engine_does_not_watch)
{
	start(sizeof(*ring), SEALS);
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	ring->watched = 1;
	serve(41);
	fake_engine_hears_nothing(&engine);
	ring->watched = 0;
	serve(42);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 42, 1, 0);
	ck_assert_uint_eq(ring->count, 1);
	stop();
}
END_TEST

START_TEST(receipts_are_sent_while_the_ring_is_full)
{
	start(sizeof(*ring), SEALS);
	ring->watched = 1;
	ring->read = (uint32_t)-FDRECV_WIRE_RING_SLOTS;
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	ring->read++;
	serve(41);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(ring->sequences[0], 41);
	stop();
}
END_TEST

/* In the ring the engine would see these before the pause. */
START_TEST(receipts_do_not_overtake_a_pause)
{
	start(sizeof(*ring), SEALS);
	ring->watched = 1;
	serve(40);
	fdrecv_pause(mailbox.fdrecv);
	fake_engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
	serve(41);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 41, 1, 0);
	fdrecv_resume(mailbox.fdrecv);
	fake_engine_hears(&engine, FDRECV_WIRE_RESUME, 0, 0, 0);
	serve(42);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(ring->count, 2);
	ck_assert_uint_eq(ring->sequences[1], 42);
	stop();
}
END_TEST

static const struct {
	off_t size;
	int seals;
} unsafe[] = {{sizeof(*ring), F_SEAL_GROW}, {sizeof(*ring), 0},
    {sizeof(*ring) - 1, SEALS}};

START_TEST(memory_that_can_shrink_is_not_used)
{
	start(unsafe[_i].size, unsafe[_i].seals);
	ring->watched = 1;
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	ck_assert_uint_eq(ring->count, 0);
	stop();
}
END_TEST

START_TEST(an_offer_with_two_descriptors_is_not_accepted)
{
	meet();
	offer(&valid, sizeof(valid), sizeof(*ring), SEALS, 2);
	ring->watched = 1;
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	ck_assert_uint_eq(ring->count, 0);
	stop();
}
END_TEST

/* Too many descriptors, or one without the message: none of them stays
 * open. */
START_TEST(descriptors_without_an_offer_are_closed)
{
	int fds[2] = {STDIN_FILENO, STDIN_FILENO};
	size_t size = _i == 0 ? 0 : sizeof(struct fdrecv_wire_offer);
	char bytes[sizeof(struct fdrecv_wire_offer)] = "";

	meet();
	ck_assert_int_eq(
	    net_send(engine.conn, bytes, size, fds, _i == 0 ? 1 : 2),
	    (ssize_t)size);
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
}
END_TEST

/* In a ring that has had 254 receipts, which were all read. */
START_TEST(the_library_accepts_and_fills_the_ring_of_the_vectors)
{
	static unsigned char bytes[sizeof(*ring) + 1];

	if (!vector_is_of_this_host())
		return;
	meet();
	offer(bytes, vector_read("offer.hex", bytes, sizeof(bytes)),
	    sizeof(*ring), SEALS, 1);
	ring->watched = 1;
	ring->count = ring->read = 254;
	serve(1000);
	serve(1001);
	serve(1002);
	serve(7);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(
	    vector_read("ring.hex", bytes, sizeof(bytes)), sizeof(*ring));
	ck_assert_mem_eq(ring, bytes, sizeof(*ring));
	stop();
}
END_TEST

UNIT_SUITE(ring_writer)
{
	TCase *tc = unit_case(suite, "ring_writer");

	tcase_add_test(tc, a_watched_ring_is_written_to);
	tcase_add_test(tc, receipts_are_sent_while_the_engine_does_not_watch);
	tcase_add_test(tc, receipts_are_sent_while_the_ring_is_full);
	tcase_add_test(tc, receipts_do_not_overtake_a_pause);
	tcase_add_loop_test(
	    tc, memory_that_can_shrink_is_not_used, 0, UNIT_COUNT(unsafe));
	tcase_add_test(tc, an_offer_with_two_descriptors_is_not_accepted);
	tcase_add_loop_test(tc, descriptors_without_an_offer_are_closed, 0, 2);
	tcase_add_test(
	    tc, the_library_accepts_and_fills_the_ring_of_the_vectors);
}
