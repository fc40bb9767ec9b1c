/* SPDX-License-Identifier: ISC */
/*
 * What the control socket reports about the broker, listeners, workers and
 * counters.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "config.h"
#include "engine/control/report.h"

#include <sys/stat.h>

#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_control test;

START_TEST(any_bytes_are_a_text)
{
	static const struct {
		const char *bytes, *text;
	} texts[] = {
	    {"", ""},
	    {"plain \x1b text", "plain \x1b text"},
	    {"\xc3\xa4", "\xc3\xa4"}, /* UTF-8 is kept */
	    {"a\xff"
	     "b\xc3\xa4",
		"a?b??"},
	};
	json_t *json;

	for (size_t i = 0; i < UNIT_COUNT(texts); i++) {
		json = report_text(texts[i].bytes);
		ck_assert_str_eq(json_string_value(json), texts[i].text);
		json_decref(json);
	}
}
END_TEST

/* The report and the shared memory have the same counters. */
START_TEST(every_counter_is_shown_once)
{
	struct stats_listener counters;
	size_t count = 0;

	memset(&counters, 0, sizeof(counters));
	for (const struct report_counter *counter = report_counters;
	     counter->name != NULL; counter++) {
		uint64_t *value =
		    (uint64_t *)(void *)((char *)&counters + counter->offset);

		ck_assert_uint_eq(report_counter_value(counter, &counters), 0);
		*value = ++count;
		ck_assert_uint_eq(
		    report_counter_value(counter, &counters), count);
		ck_assert_uint_ge(strlen(counter->description), 5);
	}
	ck_assert_uint_eq(count, STATS_COUNTERS);
}
END_TEST

START_TEST(the_broker_is_shown)
{
	json_t *status, *broker;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	test.pool.core.stats.page->head.started_ms = clock_ms() - 5000;
	test.control.context.started_ms = clock_ms() - 1000;
	status = test_control_get(&test, "/v1/status");
	broker = json_object_get(status, "broker");
	ck_assert_uint_eq(json_object_size(broker), 9);
	test_control_is(broker, "version", PACKAGE_VERSION);
	test_control_is(broker, "epoch", "0000000000000001");
	ck_assert_int_eq(test_control_number(broker, "monitor"), getppid());
	ck_assert_int_eq(test_control_number(broker, "engine"), getpid());
	ck_assert_int_ge(test_control_number(broker, "uptime_ms"), 5000);
	ck_assert_int_lt(test_control_number(broker, "uptime_ms"), 10000);
	ck_assert_int_ge(test_control_number(broker, "engine_ms"), 1000);
	ck_assert_int_lt(test_control_number(broker, "engine_ms"), 5000);
	ck_assert(json_is_null(json_object_get(broker, "orphan_ms")));
	json_decref(status);
	control_set_orphan(&test.control, clock_ms() + 60000);
	status = test_control_get(&test, "/v1/status");
	broker = json_object_get(status, "broker");
	ck_assert(json_is_null(json_object_get(broker, "monitor")));
	ck_assert_int_gt(test_control_number(broker, "orphan_ms"), 50000);
	ck_assert_int_le(test_control_number(broker, "orphan_ms"), 60000);
	json_decref(status);
	test_control_done(&test);
}
END_TEST

/* Returns the listener of that name in the status; the caller frees
 * *out_status. */
static json_t *
get_listener(const char *name, json_t **out_status)
{
	json_t *listener;
	size_t i;

	*out_status = test_control_get(&test, "/v1/status");
	json_array_foreach(json_object_get(*out_status, "listeners"), i,
	    listener) if (strcmp(json_string_value(json_object_get(listener,
				     "name")),
			      name) == 0) return listener;
	ck_abort_msg("no listener %s", name);
	return NULL;
}

START_TEST(listeners_are_shown)
{
	json_t *status, *listener, *endpoint;
	struct stat st;

	test_control_init(&test, 2, geteuid(), RECORD_NO_ID);
	socket_table_start(&test.table);
	listener = get_listener("www", &status);
	test_control_is(listener, "state", "open");
	test_control_is(listener, "handoff", "connection");
	test_control_is(listener, "mailbox", test.pool.pool->finder.path);
	ck_assert_int_eq(test_control_number(listener, "workers"), 2);
	ck_assert(json_is_null(json_object_get(listener, "waiting_ms")));
	ck_assert_int_lt(test_control_number(listener, "since_ms"), 3000);
	ck_assert_uint_eq(
	    json_array_size(json_object_get(listener, "endpoints")), 1);
	endpoint = json_array_get(json_object_get(listener, "endpoints"), 0);
	ck_assert_int_eq(fstat(test.port, &st), 0);
	test_control_is(endpoint, "name", "tcp:127.0.0.1:80");
	ck_assert_uint_eq(
	    (ino_t)test_control_number(endpoint, "inode"), st.st_ino);
	ck_assert_uint_eq(
	    (dev_t)test_control_number(endpoint, "device"), st.st_dev);
	json_decref(status);
	listener = get_listener("lent", &status);
	test_control_is(listener, "state", "lent");
	test_control_is(listener, "handoff", "listener");
	json_decref(status);
	test_control_done(&test);
}
END_TEST

START_TEST(a_listener_shows_how_long_connections_have_waited)
{
	json_t *status, *listener;
	int client;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	socket_table_start(&test.table);
	client = net_connect(test.port);
	while (test.www->absence.since_ms == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	test.www->absence.since_ms -= 7000;
	test.www->state_since_ms -= 8000;
	listener = get_listener("www", &status);
	test_control_is(listener, "state", "waiting");
	ck_assert_int_ge(test_control_number(listener, "waiting_ms"), 7000);
	ck_assert_int_ge(test_control_number(listener, "since_ms"), 8000);
	ck_assert_int_lt(test_control_number(listener, "since_ms"), 12000);
	ck_assert_int_eq(test_control_number(listener, "workers"), 0);
	json_decref(status);
	close(client);
	test_control_done(&test);
}
END_TEST

START_TEST(counters_are_shown_with_the_listener)
{
	json_t *status, *counters;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	test.www->stats->accepted = 12;
	test.www->stats->send_failed = 7;
	counters = json_object_get(get_listener("www", &status), "counters");
	ck_assert_uint_eq(json_object_size(counters), STATS_COUNTERS);
	ck_assert_int_eq(test_control_number(counters, "accepted"), 12);
	ck_assert_int_eq(test_control_number(counters, "send_failed"), 7);
	ck_assert_int_eq(test_control_number(counters, "taken"), 0);
	json_decref(status);
	test_control_done(&test);
}
END_TEST

START_TEST(metrics_are_in_the_format_of_prometheus)
{
	static const char *const lines[] = {
	    "# HELP portbroker_accepted_total Connections accepted\n"
	    "# TYPE portbroker_accepted_total counter\n"
	    "portbroker_accepted_total{listener=\"www\"} 12\n"
	    "portbroker_accepted_total{listener=\"lent\"} 0\n"
	    "# HELP portbroker_taken_total ",
	    "# TYPE portbroker_held gauge\n"
	    "portbroker_held{listener=\"www\"} 3\n",
	    "# TYPE portbroker_workers gauge\n"
	    "portbroker_workers{listener=\"www\"} 1\n"
	    "portbroker_workers{listener=\"lent\"} 1\n",
	    "# TYPE portbroker_state gauge\n"
	    "portbroker_state{listener=\"www\",state=\"open\"} 1\n"
	    "portbroker_state{listener=\"lent\",state=\"lent\"} 1\n",
	    "# TYPE portbroker_in_flight_limit gauge\n"
	    "portbroker_in_flight_limit ",
	    "# TYPE portbroker_owner_waits_total counter\n"
	    "portbroker_owner_waits_total{uid=\""};
	const char *body, *answer;
	size_t types = 0;

	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	socket_table_start(&test.table);
	test.www->stats->accepted = 12;
	test.www->stats->held = 3;
	answer = test_control_ask(&test, "GET", "/v1/metrics");
	ck_assert_ptr_nonnull(strstr(answer,
	    "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	body = test_control_body(answer, 200);
	for (size_t i = 0; i < UNIT_COUNT(lines); i++)
		ck_assert_msg(
		    strstr(body, lines[i]) != NULL, "%s in %s", lines[i], body);
	while ((body = strstr(body, "# TYPE ")) != NULL) {
		types++;
		body++;
	}
	ck_assert_uint_eq(types, STATS_COUNTERS + 17);
	test.www->stats->held = 0;
	test_control_done(&test);
}
END_TEST

#define MANY 150

/* Opens the control socket with MANY listeners, and as many pools. */
static void
init_many(void)
{
	static struct record_endpoint record;
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	record = *TAILQ_FIRST(&test.lent->endpoints)->record;
	for (size_t i = 2; i < MANY; i++) {
		snprintf(
		    record.mailbox, sizeof(record.mailbox), "/nowhere/%zu/", i);
		snprintf(record.listener, sizeof(record.listener), "l%zu", i);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(
		    socket_table_note(&test.table, (uint32_t)i, fd), 0);
		ck_assert_int_eq(socket_table_add(&test.table,
				     record_sample_keep(&record), fd, 0),
		    0);
	}
}

/* Connections that are to be handed off wait for a step only. */
START_TEST(a_long_report_has_many_steps)
{
	init_many();
	ck_assert_uint_ge(test_control_steps(&test, report_status), MANY / 20);
	ck_assert_uint_ge(
	    test_control_steps(&test, report_workers), MANY / 100);
	ck_assert_uint_ge(test_control_steps(&test, report_metrics),
	    MANY / 100 + STATS_COUNTERS + 1);
	test_control_done(&test);
}
END_TEST

/* None is left out, and none is there twice. */
START_TEST(many_listeners_are_shown)
{
	json_t *status, *listener;
	char name[32];
	size_t i;

	init_many();
	status = test_control_get(&test, "/v1/status");
	ck_assert_uint_eq(
	    json_array_size(json_object_get(status, "listeners")), MANY);
	json_array_foreach(json_object_get(status, "listeners"), i, listener)
	{
		snprintf(name, sizeof(name), "l%zu", i);
		if (i >= 2)
			test_control_is(listener, "name", name);
	}
	json_decref(status);
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(report)
{
	TCase *tc = unit_case(suite, "parts");

	tcase_add_test(tc, any_bytes_are_a_text);
	tcase_add_test(tc, every_counter_is_shown_once);
	tc = unit_case(suite, "status");
	tcase_add_test(tc, the_broker_is_shown);
	tcase_add_test(tc, listeners_are_shown);
	tcase_add_test(tc, a_listener_shows_how_long_connections_have_waited);
	tcase_add_test(tc, counters_are_shown_with_the_listener);
	tcase_add_test(tc, many_listeners_are_shown);
	tcase_add_test(tc, a_long_report_has_many_steps);
	tc = unit_case(suite, "metrics");
	tcase_add_test(tc, metrics_are_in_the_format_of_prometheus);
}
