/* SPDX-License-Identifier: ISC */
/*
 * Whose turn it is, and what becomes of connections that cannot be sent.
 */
#include "fixture/crew.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static size_t
outstanding(const struct crew *crew, unsigned int which)
{
	const struct worker *worker = crew_worker(crew, which);

	return worker->outbox_count + worker->unreceipted_count;
}

/* Gives a new connection to the worker whose turn it is; which one that is. */
static unsigned int
next(struct crew *crew)
{
	size_t before[CREW_MOST];
	unsigned int which = 0;

	for (unsigned int i = 0; i < 3; i++)
		before[i] = outstanding(crew, i);
	ck_assert_uint_eq(crew_put(crew, 1), 1);
	while (which < 3 && outstanding(crew, which) == before[which])
		which++;
	ck_assert_uint_lt(which, 3);
	return which;
}

START_TEST(among_equals_each_has_its_turn)
{
	unsigned int order[9];
	struct crew crew;

	crew_init_receipted(&crew, 3);
	for (int i = 0; i < 9; i++)
		order[i] = next(&crew);
	ck_assert_uint_ne(order[0], order[1]);
	ck_assert_uint_ne(order[1], order[2]);
	ck_assert_uint_ne(order[2], order[0]);
	for (int i = 3; i < 9; i++)
		ck_assert_uint_eq(order[i], order[i - 3]);
	crew_done(&crew);
}
END_TEST

START_TEST(who_has_least_outstanding_comes_first)
{
	struct crew crew;

	crew_init_receipted(&crew, 3);
	for (int i = 0; i < 9; i++)
		next(&crew);
	route_send(crew.pool);
	letter_receipt(crew.links[1], crew.core.epoch, FDRECV_WIRE_TAKEN, 0, 2);
	crew_settle(&crew);
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(next(&crew), 1);
	ck_assert_uint_eq(outstanding(&crew, 1), 3);
	crew_done(&crew);
}
END_TEST

START_TEST(work_is_shared_by_weight)
{
	struct crew crew;

	crew_init(&crew, 2);
	crew_hello(&crew, 0, 300);
	crew_hello(&crew, 1, 100);
	ck_assert_uint_eq(crew_put(&crew, 16), 16);
	ck_assert_uint_eq(outstanding(&crew, 0), 12);
	ck_assert_uint_eq(outstanding(&crew, 1), 4);
	crew_done(&crew);
}
END_TEST

START_TEST(when_nobody_has_room_the_users_hear_of_room)
{
	struct crew crew;
	unsigned int changes;

	crew_init_receipted(&crew, 1);
	crew_worker(&crew, 0)->window.size = 2;
	ck_assert_uint_eq(crew_put(&crew, 3), 2);
	ck_assert(crew.pool->starved);
	route_send(crew.pool);
	crew_settle(&crew);
	changes = crew.changes;
	crew_expect(&crew, 0, "01");
	letter_receipt(crew.links[0], crew.core.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	crew_settle(&crew);
	ck_assert_uint_eq(crew.changes, changes + 1);
	ck_assert_ptr_nonnull(route_pick(crew.pool, &crew.endpoint));
	crew_done(&crew);
}
END_TEST

START_TEST(what_cannot_be_sent_goes_to_others)
{
	struct crew crew;

	crew_init_receipted(&crew, 2);
	for (unsigned int i = 0; i < 2; i++)
		crew_worker(&crew, i)->window.size = 2;
	ck_assert_uint_eq(crew_put(&crew, 4), 4);
	if (_i == 0)
		crew_close(&crew, 0);
	else
		ck_assert_int_eq(shutdown(crew.mailboxes[0], SHUT_RD), 0);
	route_send(crew.pool);
	ck_assert_uint_eq(crew.stats.worker_away, _i == 0);
	ck_assert_uint_eq(crew.stats.worker_leaving, _i == 1);
	ck_assert_uint_eq(crew.stats.held, 2);
	ck_assert_uint_eq(outstanding(&crew, 1), 2);
	letter_receipt(crew.links[1], crew.core.epoch, FDRECV_WIRE_TAKEN, 0, 2);
	crew_settle(&crew);
	ck_assert_uint_eq(crew.stats.held, 0);
	ck_assert_uint_eq(crew.stats.handed_off, 4);
	ck_assert_uint_eq(outstanding(&crew, 1), 2);
	crew_done(&crew);
}
END_TEST

START_TEST(what_nobody_can_be_sent_waits_for_a_worker_to_come)
{
	struct crew crew;

	crew_init_receipted(&crew, 1);
	ck_assert_uint_eq(crew_put(&crew, 3), 3);
	crew_close(&crew, 0);
	route_send(crew.pool);
	crew_holds(&crew, "012");
	ck_assert(pool_is_busy(crew.pool));
	crew_open(&crew, 1);
	crew_await(&crew, crew.mailboxes[1], POLLIN);
	crew_expect(&crew, 1, "0"); /* one for a stranger */
	crew_holds(&crew, "12");
	crew_hello(&crew, 1, FDRECV_WIRE_WEIGHT);
	crew_worker(&crew, 1)->window.size = 3;
	crew_settle(&crew);
	route_send(crew.pool);
	crew_expect(&crew, 1, "12");
	crew_holds(&crew, "");
	crew_done(&crew);
}
END_TEST

START_TEST(what_finds_the_mailbox_full_is_sent_when_it_has_room)
{
	struct crew crew;
	int sender, byte = 0;

	crew_init_receipted(&crew, 1);
	ck_assert_uint_eq(crew_put(&crew, 2), 2);
	sender = net_reach(crew_path(0), SOCK_DGRAM);
	while (send(sender, "x", 1, MSG_DONTWAIT) == 1)
		byte++;
	route_send(crew.pool);
	ck_assert_uint_eq(crew.stats.worker_full, 1);
	crew_holds(&crew, "01");
	crew_settle(&crew);
	crew_holds(&crew, "01");
	while (byte-- > 0)
		ck_assert_int_eq(recv(crew.mailboxes[0], &(char){0}, 1, 0), 1);
	crew_await(&crew, crew.mailboxes[0], POLLIN);
	crew_expect(&crew, 0, "01");
	crew_holds(&crew, "");
	crew_done(&crew);
	close(sender);
}
END_TEST

START_TEST(what_no_worker_may_serve_now_holds_up_no_other_endpoint)
{
	struct record_endpoint other;
	struct worker *worker;
	struct crew crew;

	crew_init_receipted(&crew, 1);
	other = crew.endpoint;
	ck_assert_uint_eq(crew_put(&crew, 3), 3);
	crew_close(&crew, 0);
	route_send(crew.pool);
	crew_holds(&crew, "012");
	crew.endpoint.max_connections = 1;
	crew_open(&crew, 1);
	crew_await(&crew, crew.mailboxes[1], POLLIN);
	crew_expect(&crew, 1, "0"); /* one for a stranger */
	crew_hello(&crew, 1, FDRECV_WIRE_WEIGHT);
	worker = crew_worker(&crew, 1);
	worker->counted = 1;
	worker->connections = 1;
	TAILQ_FIRST(&crew.pool->held)->endpoint = &crew.endpoint;
	TAILQ_LAST(&crew.pool->held, handoff_list)->endpoint = &other;
	route_send(crew.pool);
	crew_holds(&crew, "1");
	crew_expect(&crew, 1, "2");
	worker->connections = 0;
	worker->counted = 0;
	route_send(crew.pool);
	crew_expect(&crew, 1, "1");
	crew_done(&crew);
}
END_TEST

START_TEST(a_full_datagram_is_sent_at_once)
{
	static struct letter letter;
	struct crew crew;

	crew_init_receipted(&crew, 1);
	crew.endpoint.window = 2 * FDRECV_WIRE_BATCH_MAX;
	crew_worker(&crew, 0)->window.size = 2 * FDRECV_WIRE_BATCH_MAX;
	ck_assert_uint_eq(crew_put(&crew, FDRECV_WIRE_BATCH_MAX - 1),
	    FDRECV_WIRE_BATCH_MAX - 1);
	ck_assert(!net_polls(crew.mailboxes[0], POLLIN));
	ck_assert_uint_eq(crew_put(&crew, 3), 3);
	letter_take(&letter, crew.mailboxes[0]);
	ck_assert_uint_eq(letter.count, FDRECV_WIRE_BATCH_MAX);
	letter_close(&letter);
	route_send(crew.pool);
	letter_take(&letter, crew.mailboxes[0]);
	ck_assert_uint_eq(letter.count, 2);
	letter_close(&letter);
	crew_done(&crew);
}
END_TEST

START_TEST(a_worker_without_receipts_gets_one_at_a_time)
{
	struct crew crew;

	crew_init(&crew, 1);
	crew_worker(&crew, 0)->kind = WORKER_PLAIN;
	ck_assert_uint_eq(crew_put(&crew, 2), 2);
	crew_expect(&crew, 0, "0");
	crew_expect(&crew, 0, "1");
	crew_expect(&crew, 0, "");
	crew_done(&crew);
}
END_TEST

/* Neither with others of its worker, nor with those of the next. */
START_TEST(what_has_no_record_is_not_sent_with_what_has_one)
{
	struct record_endpoint bare;
	struct handoff *handoff;
	struct worker *worker;
	struct crew crew;

	crew_init_receipted(&crew, 2);
	ck_assert_uint_eq(crew_put(&crew, 2), 2);
	bare = crew.endpoint;
	bare.protocol = RECORD_BARE;
	worker = route_pick(crew.pool, &bare);
	handoff = crew_handoff(&crew);
	handoff->endpoint = &bare;
	route_put(crew.pool, worker, handoff);
	route_send(crew.pool);
	for (unsigned int i = 0; i < 2; i++) {
		static struct letter letter;

		letter_take(&letter, crew.mailboxes[i]);
		ck_assert_uint_eq(letter.count, 1);
		ck_assert_uint_eq(letter.header.count, 1);
		letter_close(&letter);
	}
	ck_assert_uint_eq(crew.stats.handed_off, 3);
	ck_assert_uint_eq(crew.stats.plain, 1);
	ck_assert_uint_eq(crew.stats.unreceipted, 2);
	crew_done(&crew);
}
END_TEST

UNIT_SUITE(route)
{
	TCase *tc = unit_case(suite, "route");

	tcase_add_test(tc, among_equals_each_has_its_turn);
	tcase_add_test(tc, who_has_least_outstanding_comes_first);
	tcase_add_test(tc, work_is_shared_by_weight);
	tcase_add_test(tc, when_nobody_has_room_the_users_hear_of_room);
	tcase_add_loop_test(tc, what_cannot_be_sent_goes_to_others, 0, 2);
	tcase_add_test(tc, what_nobody_can_be_sent_waits_for_a_worker_to_come);
	tcase_add_test(
	    tc, what_finds_the_mailbox_full_is_sent_when_it_has_room);
	tcase_add_test(
	    tc, what_no_worker_may_serve_now_holds_up_no_other_endpoint);
	tcase_add_test(tc, a_full_datagram_is_sent_at_once);
	tcase_add_test(tc, a_worker_without_receipts_gets_one_at_a_time);
	tcase_add_test(tc, what_has_no_record_is_not_sent_with_what_has_one);
}
