/* SPDX-License-Identifier: ISC */
/*
 * The text about a listener: each of its conditions, and the advice.
 */
#include "fixture/net.h"
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "engine/control/report.h"
#include "engine/listener/admission.h"

#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct test_control test;

/* Asserts that the text about a listener contains the words, or that it does
 * not. */
static void
expect(const struct listener *listener, int said, const char *words)
{
	json_t *json = report_explain(&test.control.context, listener), *line;
	size_t i;
	int found = 0;

	ck_assert_str_eq(json_string_value(json_object_get(json, "name")),
	    listener->record->listener);
	ck_assert_str_eq(json_string_value(json_object_get(json, "state")),
	    listener_state_name(listener));
	json_array_foreach(json_object_get(json, "text"), i, line) found |=
	    strstr(json_string_value(line), words) != NULL;
	ck_assert_msg(found == said, "%s: %d", words, found);
	json_decref(json);
}

static void
init(unsigned int workers)
{
	test_control_init(&test, workers, geteuid(), RECORD_NO_ID);
	socket_table_start(&test.table);
}

START_TEST(with_a_worker_it_accepts)
{
	init(1);
	expect(test.www, 1, "It accepts connections and hands them off.");
	expect(test.www, 1, ": 1 ready.");
	test_control_done(&test);
}
END_TEST

START_TEST(without_a_worker_it_would_wait)
{
	init(0);
	expect(test.www, 1, "There is no worker: the first connection will");
	expect(test.www, 0, "of at most");
	expect(test.www, 1, "There is no usable mailbox at /");
	expect(test.www, 1, "fdrecv-exec --each www -- PROGRAM");
	expect(test.lent, 1, "fdrecv-exec lent -- PROGRAM");
	expect(test.lent, 1, "Its sockets are lent: ");
	expect(test.lent, 1, "programs started by fdrecv-exec need none");
	test_control_done(&test);
}
END_TEST

START_TEST(a_lent_socket_that_is_dead_is_named)
{
	init(0);
	expect(test.lent, 0, "cannot be used");
	TAILQ_FIRST(&test.lent->endpoints)->upkeep.is_dead = 1;
	expect(test.lent, 1, "cannot be used: it was shut down or its file");
	test_control_done(&test);
}
END_TEST

/* The kernel's numbers: connections that wait, and the limit. */
START_TEST(connections_wait_for_a_worker)
{
	int clients[3];

	init(0);
	for (int i = 0; i < 3; i++)
		clients[i] = net_connect(test.port);
	while (test.www->absence.since_ms == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	test.www->absence.since_ms -= 7000;
	expect(test.www, 1,
	    "There is no worker: connections have waited in the kernel for 7 "
	    "s.");
	expect(test.www, 1, "After 60 s (give-up) they are refused");
	expect(test.www, 0, "without a time limit");
	expect(test.www, 1, "tcp:127.0.0.1:80: 3 of at most ");
	TAILQ_FIRST(&test.www->endpoints)->record->give_up_s = 0;
	expect(
	    test.www, 1, "They wait without a time limit, since give-up is 0.");
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	test_control_done(&test);
}
END_TEST

START_TEST(each_state_has_its_words)
{
	static const struct {
		enum listener_state state;
		const char *words;
	} states[] = {
	    {LISTENER_STOPPED, "It accepts nothing: this engine is ending."},
	    {LISTENER_WAITING, "no worker has room.  \"brokerctl workers\""},
	    {LISTENER_REFUSING, "there was no worker for 60 s (give-up)"},
	    {LISTENER_RESTING, "accepting failed and is tried again within"},
	    {LISTENER_PAUSED, "\"brokerctl resume www\" ends that"},
	};

	init(1);
	for (size_t i = 0; i < UNIT_COUNT(states); i++) {
		test.www->state = states[i].state;
		for (size_t j = 0; j < UNIT_COUNT(states); j++)
			expect(test.www, i == j, states[j].words);
	}
	test_control_done(&test);
}
END_TEST

START_TEST(workers_are_counted_by_their_states)
{
	struct worker *worker;
	static const char *const names[] = {
	    "full", "paused", "draining", "left"};
	int *states[4];

	init(4);
	worker = test_pool_worker(&test.pool, 0);
	states[0] = &worker->full;
	states[1] = &worker->paused;
	states[2] = &worker->draining;
	states[3] = &worker->has_left;
	for (size_t i = 0; i < UNIT_COUNT(states); i++) {
		char words[32];

		*states[i] = 1;
		snprintf(words, sizeof(words), ": 3 ready, 1 %s.", names[i]);
		expect(test.www, 1, words);
	}
	test_control_done(&test);
}
END_TEST

START_TEST(an_owner_over_its_share_is_named)
{
	struct owner_quota *quota;

	init(2);
	quota = test_pool_worker(&test.pool, 0)->quota;
	expect(test.www, 0, "For ");
	quota->since_ms = clock_ms() - 5500;
	quota->claimed = 310;
	expect(test.www, 1, ": 2 over-share.");
	expect(test.www, 1, "For 5 s, owner ");
	expect(test.www, 1, " has 310 descriptors in mailboxes that nobody");
	quota->lack = OWNER_QUOTA_HELD;
	expect(test.www, 1, " has 0 connections that its workers have not");
	quota->lack = OWNER_QUOTA_OTHERS;
	expect(test.www, 1, " wait for others: all ");
	test_control_done(&test);
}
END_TEST

/* It gets nothing more, and is known until it has confirmed everything. */
START_TEST(a_worker_without_a_mailbox_is_not_counted)
{
	init(1);
	test_pool_worker(&test.pool, 0)->unlinked = 1;
	expect(test.www, 1, "There is no usable mailbox at /");
	expect(test.www, 0, "Workers at ");
	test_control_done(&test);
}
END_TEST

START_TEST(connections_in_the_engine_are_counted)
{
	init(0);
	expect(test.www, 0, "The engine holds");
	test.www->stats->held = 2;
	expect(test.www, 1,
	    "The engine holds connections that a worker returned or had no "
	    "room for: 2.");
	test.www->stats->held = 0;
	test_control_done(&test);
}
END_TEST

START_TEST(a_mailbox_that_cannot_be_used_is_named_with_what_helps)
{
	struct mailbox_error *last;

	init(0);
	last = &test.pool.pool->finder.errors.last;
	expect(test.www, 0, "could not be used");
	last->error = EPROTOTYPE;
	last->found = 1;
	last->at_ms = clock_ms() - 3000;
	snprintf(last->name, sizeof(last->name), "odd");
	expect(test.www, 1, "/pool/odd could not be used 3 s ago: Protocol ");
	expect(test.www, 1, mailbox_error_advice(EPROTOTYPE, 1));
	last->error = ENOENT;
	expect(test.www, 0, "workers need this directory");
	last->name[0] = '\0';
	expect(test.www, 1,
	    "/pool/ could not be used 3 s ago: No such file or directory: "
	    "workers need this directory.");
	test_control_done(&test);
}
END_TEST

/* Six sources, of which the last one has most. */
static void
add_sources(struct admission *admission)
{
	struct source_address address;

	for (uint32_t uid = 1; uid <= 6; uid++) {
		source_address_of_user(&address, uid);
		source_table_get(&admission->sources, &address, 0)->open.count =
		    uid;
	}
}

START_TEST(limits_and_the_sources_that_have_most_are_named)
{
	struct record_source limits = {.rules = 2,
	    .flags = RECORD_SOURCE_ALLOW,
	    .max_per_source = 7,
	    .rate = 8,
	    .rate_period_s = 60,
	    .accept_ahead = 9};

	init(0);
	TAILQ_FIRST(&test.www->endpoints)->record->source = limits;
	test.www->admission = admission_new(test.www, NULL, 0);
	ck_assert_ptr_nonnull(test.www->admission);
	add_sources(test.www->admission);
	expect(test.www, 1, "Clients that none of them names may not come.");
	expect(test.www, 1, "A source may have 7 connections");
	expect(test.www, 1, "8 connections in 60 s");
	expect(
	    test.www, 1, "uid 6: 0 wait; 6 open when counted last, or since.");
	expect(test.www, 1, "add it to deny");
	expect(test.www, 1, "uid 2: 0 wait; 2 open");
	expect(test.www, 0, "uid 1:");
	test_control_done(&test);
}
END_TEST

START_TEST(refused_connections_are_counted_by_reason_with_what_helps)
{
	init(1);
	expect(test.www, 0, "Refused so far");
	test.www->stats->refused_open = 3;
	test.www->stats->refused_denied = 4;
	test.www->stats->refused_absent = 5;
	expect(test.www, 1,
	    "Refused so far, because their sources had max-per-source open: 3. "
	    " Clients behind one proxy");
	expect(test.www, 1, "do not let their sources in: 4.  The log");
	expect(test.www, 1, "within give-up: 5.  Start one");
	expect(test.www, 0, "rate-per-source allows");
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(report_explain)
{
	TCase *tc = unit_case(suite, "explain");

	tcase_add_test(tc, with_a_worker_it_accepts);
	tcase_add_test(tc, without_a_worker_it_would_wait);
	tcase_add_test(tc, a_lent_socket_that_is_dead_is_named);
	tcase_add_test(tc, connections_wait_for_a_worker);
	tcase_add_test(tc, each_state_has_its_words);
	tcase_add_test(tc, an_owner_over_its_share_is_named);
	tcase_add_test(tc, workers_are_counted_by_their_states);
	tcase_add_test(tc, a_worker_without_a_mailbox_is_not_counted);
	tcase_add_test(tc, connections_in_the_engine_are_counted);
	tcase_add_test(tc, limits_and_the_sources_that_have_most_are_named);
	tcase_add_test(
	    tc, refused_connections_are_counted_by_reason_with_what_helps);
	tcase_add_test(
	    tc, a_mailbox_that_cannot_be_used_is_named_with_what_helps);
}
