/* SPDX-License-Identifier: ISC */
/*
 * What becomes of a dead worker's connections: those that it cannot have
 * touched go to another one, and not without end.
 */
#include "fixture/crew.h"
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/sample.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <unistd.h>

/* Sends count to worker 0, alone, who has received them. */
static void
init_sent(struct crew *crew, size_t count)
{
	static struct letter letter;

	crew_init_receipted(crew, 1);
	ck_assert_uint_eq(crew_put(crew, count), count);
	route_send(crew->pool);
	letter_take(&letter, crew->mailboxes[0]);
	ck_assert_uint_eq(letter.count, count);
	letter_close(&letter);
}

/* The process of worker which ends. */
static void
die(struct crew *crew, unsigned int which)
{
	crew_close(crew, which);
	crew_settle(crew);
}

START_TEST(what_was_not_touched_goes_to_another_in_order)
{
	struct crew crew;

	init_sent(&crew, 3);
	crew_open(&crew, 1);
	crew_settle(&crew);
	crew_hello(&crew, 1, FDRECV_WIRE_WEIGHT);
	die(&crew, 0);
	crew_expect(&crew, 1, "012");
	ck_assert_uint_eq(crew.stats.returned_death, 3);
	ck_assert_uint_eq(crew.stats.handed_off, 6);
	ck_assert_uint_eq(crew.stats.died, 0);
	ck_assert_uint_eq(
	    TAILQ_FIRST(&crew_worker(&crew, 1)->unreceipted)->redeliveries, 1);
	crew_done(&crew);
}
END_TEST

START_TEST(what_came_back_goes_before_what_was_held)
{
	struct crew crew;

	init_sent(&crew, 2);
	ck_assert_uint_eq(crew_put(&crew, 1), 1);
	route_take_back(crew.pool, crew_worker(&crew, 0));
	crew_holds(&crew, "2");
	die(&crew, 0);
	crew_holds(&crew, "012");
	crew_done(&crew);
}
END_TEST

START_TEST(what_was_read_or_written_is_not_given_to_another)
{
	struct crew crew;
	struct handoff *handoff;
	char byte;

	init_sent(&crew, 3);
	handoff = TAILQ_FIRST(&crew_worker(&crew, 0)->unreceipted);
	if (_i == 0) {
		ck_assert_int_eq(send(crew.clients[0], "ab", 2, 0), 2);
		crew_await(&crew, handoff->fd, POLLIN);
		ck_assert_int_eq(recv(handoff->fd, &byte, 1, 0), 1);
	} else {
		ck_assert_int_eq(send(handoff->fd, "a", 1, 0), 1);
	}
	die(&crew, 0);
	ck_assert_uint_eq(crew.stats.died, 1);
	crew_holds(&crew, "12");
	ck_assert(crew_is_closed(&crew, 0));
	crew_done(&crew);
}
END_TEST

START_TEST(what_the_client_has_sent_stays_to_be_read)
{
	struct handoff *handoff;
	struct crew crew;
	char byte;

	init_sent(&crew, 1);
	handoff = TAILQ_FIRST(&crew_worker(&crew, 0)->unreceipted);
	ck_assert_int_eq(send(crew.clients[0], "a", 1, 0), 1);
	crew_await(&crew, handoff->fd, POLLIN);
	die(&crew, 0);
	crew_holds(&crew, "0");
	ck_assert_int_eq(recv(handoff->fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'a');
	crew_done(&crew);
}
END_TEST

START_TEST(a_client_that_has_gone_is_dropped)
{
	struct handoff *handoff;
	struct crew crew;

	init_sent(&crew, 2);
	handoff = TAILQ_FIRST(&crew_worker(&crew, 0)->unreceipted);
	net_reset(crew.clients[0]);
	crew_await(&crew, handoff->fd, POLLHUP);
	crew.clients[0] = crew.clients[1];
	crew.count = 1; /* the fixture closes that one */
	crew.sockets[0] = crew.sockets[1];
	die(&crew, 0);
	ck_assert_uint_eq(crew.stats.dead, 1);
	crew_holds(&crew, "0");
	crew_done(&crew);
}
END_TEST

START_TEST(one_that_workers_die_of_is_refused_in_the_end)
{
	struct crew crew;

	init_sent(&crew, 2);
	crew.endpoint.redeliveries = 1;
	die(&crew, 0);
	crew_holds(&crew, "01");
	crew_open(&crew, 1);
	crew_settle(&crew);
	crew_hello(&crew, 1, FDRECV_WIRE_WEIGHT);
	route_send(crew.pool);
	ck_assert_uint_eq(crew_worker(&crew, 1)->unreceipted_count, 2);
	die(&crew, 1);
	ck_assert_uint_eq(crew.stats.refused_deaths, 1);
	ck_assert(crew_is_closed(&crew, 0));
	crew_holds(&crew, "1");
	ck_assert_uint_eq(TAILQ_FIRST(&crew.pool->held)->redeliveries, 2);
	ck_assert_uint_eq(TAILQ_FIRST(&crew.pool->held)->deaths, 0);
	crew_done(&crew);
}
END_TEST

/* The receipt is there, and the hang-up, when a send finds out. */
START_TEST(what_a_worker_confirmed_before_its_end_is_not_given_to_another)
{
	struct crew crew;

	init_sent(&crew, 2);
	crew.endpoint = sample_unix(RECORD_UNIX_STREAM, "/nowhere/socket");
	letter_receipt(crew.links[0], crew.core.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	ck_assert_uint_eq(crew_put(&crew, 1), 1);
	crew_close(&crew, 0);
	route_send(crew.pool);
	ck_assert_uint_eq(crew.stats.worker_away, 1);
	ck_assert_uint_eq(crew.stats.taken, 1);
	ck_assert_uint_eq(crew.stats.returned_death, 1);
	crew_holds(&crew, "12");
	crew_done(&crew);
}
END_TEST

UNIT_SUITE(route_death)
{
	TCase *tc = unit_case(suite, "route_death");

	tcase_add_test(tc, what_was_not_touched_goes_to_another_in_order);
	tcase_add_test(tc, what_came_back_goes_before_what_was_held);
	tcase_add_loop_test(
	    tc, what_was_read_or_written_is_not_given_to_another, 0, 2);
	tcase_add_test(tc, what_the_client_has_sent_stays_to_be_read);
	tcase_add_test(tc, a_client_that_has_gone_is_dropped);
	tcase_add_test(tc, one_that_workers_die_of_is_refused_in_the_end);
	tcase_add_test(
	    tc, what_a_worker_confirmed_before_its_end_is_not_given_to_another);
}
