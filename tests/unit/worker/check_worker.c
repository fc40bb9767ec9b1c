/* SPDX-License-Identifier: ISC */
/*
 * Sending to one worker: whether it has room, and what a datagram holds.
 */
#include "fixture/desk.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "base/clock.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static int
has_room(struct desk *desk)
{
	return worker_has_room(desk->worker, &desk->endpoint);
}

START_TEST(a_new_worker_has_room_for_one)
{
	struct desk desk;

	desk_init(&desk, WORKER_NEW);
	ck_assert(has_room(&desk));
	desk_put(&desk, 1);
	ck_assert(!has_room(&desk));
	ck_assert_int_eq(worker_send(desk.worker), 0);
	ck_assert(!has_room(&desk));
	ck_assert(!desk_is_closed(&desk, 0));
	desk_expect(&desk, 0, 1);
	ck_assert(!has_room(&desk)); /* received is not confirmed */
	desk_done(&desk);
}
END_TEST

START_TEST(a_plain_worker_has_room_as_its_mailbox_has)
{
	unsigned int size = net_mailbox_size();
	struct desk desk;

	if (size > DESK_MOST) {
		unit_skip("max_dgram_qlen is too large");
		return;
	}
	desk_init(&desk, WORKER_PLAIN);
	for (unsigned int i = 0; i < size; i++) {
		ck_assert(has_room(&desk));
		desk_send(&desk, 1);
	}
	ck_assert(!has_room(&desk));
	desk_settle(&desk);
	ck_assert_uint_eq(desk.rooms, 0);
	for (unsigned int i = 0; i < size; i++)
		desk_expect(&desk, i, 1);
	desk_await(&desk, &desk.rooms, 1);
	ck_assert(has_room(&desk));
	desk_done(&desk);
}
END_TEST

START_TEST(a_plain_worker_has_all_to_itself)
{
	struct desk desk;

	desk_init(&desk, WORKER_PLAIN);
	desk_send(&desk, 1);
	desk_expect(&desk, 0, 1);
	ck_assert(desk_is_closed(&desk, 0));
	ck_assert_uint_eq(desk.worker->unreceipted_count, 0);
	ck_assert_uint_eq(desk.stats.plain, 1);
	ck_assert_uint_eq(desk.stats.handed_off, 1);
	ck_assert_uint_eq(desk.stats.unreceipted, 0);
	desk_done(&desk);
}
END_TEST

START_TEST(a_receipted_worker_has_room_as_its_window_has)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk.worker->window.size = 3;
	desk_send(&desk, 1);
	desk_put(&desk, 1);
	ck_assert(has_room(&desk));
	desk_put(&desk, 1);
	ck_assert(!has_room(&desk));
	desk.endpoint.protocol = RECORD_PORTLISTEN;
	ck_assert(has_room(&desk)); /* that gets no receipts */
	desk_done(&desk);
}
END_TEST

/* As if the kernel had not been asked yet. */
static int
has_room_again(struct desk *desk, enum worker_kind kind)
{
	desk->worker->full = 0;
	desk->worker->kind = kind;
	return has_room(desk);
}

START_TEST(a_mailbox_is_asked_for_room_unless_all_was_confirmed)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk.worker->window.size = 2;
	desk_send(&desk, 1);
	while (send(desk.worker->mailbox.fd, "x", 1, MSG_DONTWAIT) == 1)
		;
	ck_assert(!has_room_again(&desk, WORKER_RECEIPTED));
	unreceipted_on_taken(desk.worker, desk.worker->sequence - 1, 1);
	ck_assert(has_room_again(&desk, WORKER_RECEIPTED));
	ck_assert(!has_room_again(&desk, WORKER_NEW));
	ck_assert(!has_room_again(&desk, WORKER_PLAIN));
	desk.endpoint.protocol = RECORD_PORTLISTEN;
	ck_assert(!has_room_again(&desk, WORKER_RECEIPTED));
	desk_done(&desk);
}
END_TEST

START_TEST(a_receipt_that_is_overdue_closes_the_window)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk_send(&desk, 1);
	ck_assert(has_room(&desk));
	TAILQ_FIRST(&desk.worker->unreceipted)->sent_us -= 51000;
	ck_assert(!has_room(&desk));
	desk_done(&desk);
}
END_TEST

START_TEST(a_datagram_has_room_for_so_many)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk.endpoint.window = 2 * FDRECV_WIRE_BATCH_MAX;
	desk.worker->window.size = 2 * FDRECV_WIRE_BATCH_MAX;
	desk_put(&desk, FDRECV_WIRE_BATCH_MAX - 1);
	ck_assert(has_room(&desk));
	desk_put(&desk, 1);
	ck_assert(!has_room(&desk));
	ck_assert_int_eq(worker_send(desk.worker), 0);
	ck_assert(has_room(&desk));
	desk_expect(&desk, 0, FDRECV_WIRE_BATCH_MAX);
	desk_done(&desk);
}
END_TEST

START_TEST(one_that_counts_connections_has_room_for_so_many)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk.endpoint.max_connections = 5;
	desk.worker->connections = 3;
	desk_send(&desk, 1);
	desk_put(&desk, 1);
	ck_assert(has_room(&desk)); /* it does not count them */
	desk.worker->counted = 1;
	ck_assert(!has_room(&desk));
	desk.worker->connections = 2;
	ck_assert(has_room(&desk));
	desk.worker->connections = 100;
	desk.endpoint.max_connections = 0;
	ck_assert(has_room(&desk));
	desk_done(&desk);
}
END_TEST

START_TEST(one_that_pauses_or_leaves_or_is_full_has_no_room)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk.worker->paused = 1;
	ck_assert(!has_room(&desk));
	desk.worker->paused = 0;
	ck_assert(has_room(&desk));
	desk.worker->left = 1;
	ck_assert(!has_room(&desk));
	desk.worker->left = 0;
	desk.worker->full = 1;
	ck_assert(!has_room(&desk));
	desk_done(&desk);
}
END_TEST

START_TEST(one_that_rests_has_room_afterwards)
{
	struct desk desk;
	uint64_t begin_ms = clock_ms();

	desk_init(&desk, WORKER_PLAIN);
	worker_rest(desk.worker, 100000);
	ck_assert(!has_room(&desk));
	desk_await(&desk, &desk.rooms, 1);
	/* libevent's clock is a coarse one. */
	ck_assert_uint_ge(clock_ms() - begin_ms, 90);
	ck_assert(has_room(&desk));
	desk_done(&desk);
}
END_TEST

START_TEST(a_batch_is_one_datagram_in_order)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk_send(&desk, 3);
	desk_send(&desk, 2);
	desk_expect(&desk, 0, 3);
	ck_assert_uint_eq(desk.letter.header.count, 3);
	ck_assert_uint_eq(desk.letter.header.epoch, desk.core.epoch);
	ck_assert_uint_eq(desk.letter.header.sequence, 0);
	desk_expect(&desk, 3, 2);
	ck_assert_uint_eq(desk.letter.header.sequence, 3);
	ck_assert_uint_eq(desk.worker->unreceipted_count, 5);
	ck_assert_uint_eq(desk.stats.handed_off, 5);
	ck_assert_uint_eq(desk.stats.unreceipted, 5);
	desk_done(&desk);
}
END_TEST

START_TEST(portlisten_and_bare_come_alone_and_without_a_record)
{
	static const struct {
		enum record_protocol protocol;
		ssize_t size;
	} cases[] = {{RECORD_PORTLISTEN, 1}, {RECORD_BARE, 0}};
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
		desk.endpoint.protocol = cases[i].protocol;
		ck_assert(!worker_is_receipted(desk.worker, &desk.endpoint));
		desk_send(&desk, 1);
		desk_expect(&desk, i, 1);
		ck_assert_int_eq(desk.letter.size, cases[i].size);
		ck_assert(desk_is_closed(&desk, i));
	}
	ck_assert_uint_eq(desk.worker->unreceipted_count, 0);
	ck_assert_uint_eq(desk.stats.plain, 2);
	desk_done(&desk);
}
END_TEST

START_TEST(what_cannot_be_sent_stays_in_the_outbox)
{
	struct desk desk;

	desk_init(&desk, WORKER_RECEIPTED);
	desk_put(&desk, 2);
	close(desk.mailbox);
	desk.mailbox = -1;
	errno = 0;
	ck_assert_int_eq(worker_send(desk.worker), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_uint_eq(desk.worker->outbox_count, 2);
	ck_assert_uint_eq(desk.worker->unreceipted_count, 0);
	ck_assert(!TAILQ_FIRST(&desk.worker->outbox)->sent);
	ck_assert_uint_eq(desk.stats.handed_off, 0);
	desk_done(&desk);
}
END_TEST

START_TEST(what_a_worker_is_known_to_be_it_is_at_once)
{
	static const enum stats_kind kinds[] = {STATS_PLAIN, STATS_RECEIPTED};
	struct desk desk;
	struct mailbox mailbox;
	struct worker *again;

	desk_init(&desk, WORKER_NEW);
	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	ck_assert_int_eq(mailbox_connect(&mailbox), 0);
	stats_note_kind(
	    &desk.core.stats, mailbox.device, mailbox.inode, kinds[_i]);
	again =
	    worker_new(&desk.core, "box", &mailbox, desk.worker->user, &desk);
	ck_assert_ptr_nonnull(again);
	ck_assert_int_eq(again->kind, _i == 0 ? WORKER_PLAIN : WORKER_NEW);
	ck_assert_int_eq(again->expected, _i);
	worker_free(again);
	desk_done(&desk);
}
END_TEST

UNIT_SUITE(worker)
{
	TCase *tc = unit_case(suite, "worker");

	tcase_add_test(tc, a_new_worker_has_room_for_one);
	tcase_add_test(tc, a_plain_worker_has_room_as_its_mailbox_has);
	tcase_add_test(tc, a_plain_worker_has_all_to_itself);
	tcase_add_test(tc, a_receipted_worker_has_room_as_its_window_has);
	tcase_add_test(
	    tc, a_mailbox_is_asked_for_room_unless_all_was_confirmed);
	tcase_add_test(tc, a_receipt_that_is_overdue_closes_the_window);
	tcase_add_test(tc, a_datagram_has_room_for_so_many);
	tcase_add_test(tc, one_that_counts_connections_has_room_for_so_many);
	tcase_add_test(tc, one_that_pauses_or_leaves_or_is_full_has_no_room);
	tcase_add_test(tc, one_that_rests_has_room_afterwards);
	tcase_add_test(tc, a_batch_is_one_datagram_in_order);
	tcase_add_test(tc, portlisten_and_bare_come_alone_and_without_a_record);
	tcase_add_test(tc, what_cannot_be_sent_stays_in_the_outbox);
	tcase_add_loop_test(
	    tc, what_a_worker_is_known_to_be_it_is_at_once, 0, 2);
}
