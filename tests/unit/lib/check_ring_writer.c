/* SPDX-License-Identifier: ISC */
/*
 * Boards, as the library has them: which are taken, and which receipts are
 * written there instead of sent.
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
static struct fdrecv_wire_ring *page; /* the engine's */

static void
offer(const void *message, size_t length, off_t size, int seals)
{
	int fd = memfd_create("board", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(fd, size), 0);
	page = mmap(
	    NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	ck_assert_int_eq(
	    net_send(engine.link, message, length, &fd, 1), (ssize_t)length);
	close(fd);
}

static void
meet(void)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	ck_assert_uint_eq(engine.hello.flags, FDRECV_WIRE_OFFER);
}

static void
start(off_t size, int seals)
{
	struct fdrecv_wire_offer message = {.magic = {'b', 'f', 'd', 'r'},
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(message)};

	meet();
	offer(&message, sizeof(message), size, seals);
}

static void
stop(void)
{
	test_mailbox_close(&mailbox);
	munmap(page, sizeof(*page));
	fake_engine_stop(&engine);
}

/* One connection, from its way into the mailbox to its end. */
static void
serve(uint64_t sequence)
{
	int end;

	engine.sequence = sequence;
	end = fake_engine_connection(&engine, &mailbox);
	fake_engine_expect(&mailbox, sequence);
	fdrecv_done(mailbox.box, &mailbox.handoff);
	close(end);
}

START_TEST(a_watched_board_is_written_to)
{
	start(sizeof(*page), SEALS);
	page->watched = 1;
	serve(40);
	serve(7);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(page->count, 2);
	ck_assert_uint_eq(page->sequences[0], 40);
	ck_assert_uint_eq(page->sequences[1], 7);
	stop();
}
END_TEST

START_TEST(where_nobody_looks_receipts_are_sent)
{
	start(sizeof(*page), SEALS);
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	page->watched = 1;
	serve(41);
	fake_engine_hears_nothing(&engine);
	page->watched = 0;
	serve(42);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 42, 1, 0);
	ck_assert_uint_eq(page->count, 1);
	stop();
}
END_TEST

START_TEST(on_a_full_board_receipts_are_sent)
{
	start(sizeof(*page), SEALS);
	page->watched = 1;
	page->read = (uint32_t)-FDRECV_WIRE_RING_SLOTS;
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	page->read++;
	serve(41);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(page->sequences[0], 41);
	stop();
}
END_TEST

/* On the board they would be seen before the pause that came first. */
START_TEST(receipts_do_not_overtake_a_pause)
{
	start(sizeof(*page), SEALS);
	page->watched = 1;
	serve(40);
	fdrecv_pause(mailbox.box);
	fake_engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
	serve(41);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 41, 1, 0);
	fdrecv_resume(mailbox.box);
	fake_engine_hears(&engine, FDRECV_WIRE_RESUME, 0, 0, 0);
	serve(42);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(page->count, 2);
	ck_assert_uint_eq(page->sequences[1], 42);
	stop();
}
END_TEST

static const struct {
	off_t size;
	int seals;
} unsafe[] = {{sizeof(*page), F_SEAL_GROW}, {sizeof(*page), 0},
    {sizeof(*page) - 1, SEALS}};

START_TEST(memory_that_may_vanish_is_not_used)
{
	start(unsafe[_i].size, unsafe[_i].seals);
	page->watched = 1;
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	ck_assert_uint_eq(page->count, 0);
	stop();
}
END_TEST

/* More than there is to be, or without the message: nothing stays open. */
START_TEST(descriptors_that_are_no_offer_are_closed)
{
	int fds[2] = {STDIN_FILENO, STDIN_FILENO};
	size_t size = _i == 0 ? 0 : sizeof(struct fdrecv_wire_offer);
	char bytes[sizeof(struct fdrecv_wire_offer)] = "";

	meet();
	ck_assert_int_eq(
	    net_send(engine.link, bytes, size, fds, _i == 0 ? 1 : 2),
	    (ssize_t)size);
	serve(40);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 40, 1, 0);
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
}
END_TEST

/* On one that has had 254 receipts, all of which were read. */
START_TEST(the_library_takes_and_fills_the_board_of_the_vectors)
{
	static unsigned char bytes[sizeof(*page) + 1];

	if (!vector_is_of_this_host())
		return;
	meet();
	offer(bytes, vector_read("offer.hex", bytes, sizeof(bytes)),
	    sizeof(*page), SEALS);
	page->watched = 1;
	page->count = page->read = 254;
	serve(1000);
	serve(1001);
	serve(1002);
	serve(7);
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(
	    vector_read("ring.hex", bytes, sizeof(bytes)), sizeof(*page));
	ck_assert_mem_eq(page, bytes, sizeof(*page));
	stop();
}
END_TEST

UNIT_SUITE(ring_writer)
{
	TCase *tc = unit_case(suite, "fdrecv_board");

	tcase_add_test(tc, a_watched_board_is_written_to);
	tcase_add_test(tc, where_nobody_looks_receipts_are_sent);
	tcase_add_test(tc, on_a_full_board_receipts_are_sent);
	tcase_add_test(tc, receipts_do_not_overtake_a_pause);
	tcase_add_loop_test(
	    tc, memory_that_may_vanish_is_not_used, 0, UNIT_COUNT(unsafe));
	tcase_add_loop_test(tc, descriptors_that_are_no_offer_are_closed, 0, 2);
	tcase_add_test(
	    tc, the_library_takes_and_fills_the_board_of_the_vectors);
}
