/* SPDX-License-Identifier: ISC */
/*
 * Long answers: one step in each round of events, and the whole answer or
 * none.
 */
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include "engine/control/answer.h"

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#define STEPS 5

static struct test_control test;
static unsigned int steps;
static int others; /* rounds of events between the first step and the last */
static enum report_step last;

static void
on_other(void *owner)
{
	(void)owner;
	if (steps > 0 && steps < STEPS)
		others++;
}

static enum report_step
step(struct report *report)
{
	ck_assert_ptr_eq(report->context, &test.control.context);
	ck_assert_ptr_eq(report->listener, test.www);
	ck_assert_ptr_eq(report->pool, test.pool.pool);
	fprintf(report->file, "%u", ++steps);
	return steps < STEPS ? REPORT_MORE : last;
}

/* Waits for a request and answers it with the steps. */
static int
begin(void)
{
	int fd;
	struct peer *peer;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = test_control_connect();
	test_control_send(fd, "POST", "/v1/reload");
	while (test_control_asked(&test) == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	peer = TAILQ_FIRST(&test.control.peers.peers);
	timer_set(&peer->limit, 0); /* it has nothing to do with it now */
	answer_report(peer, &test.control.context, "text/odd", step);
	ck_assert_int_eq(peer->state, PEER_WRITING);
	ck_assert(!timer_is_set(&peer->limit));
	ck_assert_uint_eq(steps, 1);
	return fd;
}

START_TEST(other_events_come_between_the_steps)
{
	struct timer other;
	const char *answer;
	int fd;

	last = REPORT_DONE;
	fd = begin();
	ck_assert_int_eq(
	    timer_init(&other, test.pool.core.base, on_other, NULL), 0);
	while (steps < STEPS) {
		timer_set(&other, 0);
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	}
	ck_assert_int_ge(others, STEPS - 2);
	timer_done(&other);
	answer = test_control_answer(&test, fd);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Type: text/odd\r\n"));
	ck_assert_str_eq(test_control_body(answer, 200), "12345");
	ck_assert_uint_eq(steps, STEPS);
	test_control_done(&test);
}
END_TEST

START_TEST(a_report_that_fails_is_not_sent)
{
	const char *answer;
	int fd;

	last = REPORT_FAILED;
	fd = begin();
	answer = test_control_answer(&test, fd);
	ck_assert_ptr_null(strstr(test_control_body(answer, 500), "12345"));
	ck_assert_ptr_nonnull(strstr(answer, "500 Out of Memory\r\n"));
	test_control_done(&test);
}
END_TEST

START_TEST(a_peer_that_leaves_ends_its_report)
{
	last = REPORT_DONE;
	close(begin());
	while (test.control.peers.count != 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	ck_assert_uint_le(steps, STEPS);
	test_control_done(&test);
}
END_TEST

START_TEST(an_engine_that_ends_gives_up_reports)
{
	int fd;

	last = REPORT_DONE;
	fd = begin();
	control_stop(&test.control);
	ck_assert(control_is_busy(&test.control));
	control_close(&test.control);
	ck_assert_str_eq(test_control_answer(&test, fd), "");
	ck_assert_uint_eq(steps, 1);
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(answer)
{
	TCase *tc = unit_case(suite, "answer");

	tcase_add_test(tc, other_events_come_between_the_steps);
	tcase_add_test(tc, a_report_that_fails_is_not_sent);
	tcase_add_test(tc, a_peer_that_leaves_ends_its_report);
	tcase_add_test(tc, an_engine_that_ends_gives_up_reports);
}
