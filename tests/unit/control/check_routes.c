/* SPDX-License-Identifier: ISC */
/*
 * The effect of each path of the control socket.
 */
#include "fixture/net.h"
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static struct test_control test;

static void
expect_change(const char *path, const char *subject, const char *text)
{
	char line[256];

	snprintf(line, sizeof(line),
	    "engine: listener %s: %s (asked by uid %u)\n", subject, text,
	    geteuid());
	test_control_is_result(
	    test_control_ask(&test, "POST", path), 200, EX_OK, text);
	test_control_logged(&test, line);
}

/* Begins to accept without a line in the log. */
static void
start(void)
{
	socket_table_start(&test.table);
	test_control_settle(&test);
	test_control_logged(&test, "");
}

START_TEST(a_listener_is_paused_and_resumed)
{
	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	start();
	expect_change(
	    "/v1/listeners/www/pause", "www", "paused: connections wait");
	ck_assert_int_eq(test.www->state, LISTENER_PAUSED);
	expect_change(
	    "/v1/listeners/www/pause", "www", "paused: connections wait");
	ck_assert_int_eq(test.www->state, LISTENER_PAUSED);
	expect_change(
	    "/v1/listeners/www/resume", "www", "resumed: accepting again");
	ck_assert_int_eq(test.www->state, LISTENER_OPEN);
	test_control_done(&test);
}
END_TEST

START_TEST(a_lent_listener_cannot_be_paused)
{
	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	start();
	for (int i = 0; i < 2; i++)
		test_control_is_result(
		    test_control_ask(&test, "POST",
			i == 0 ? "/v1/listeners/lent/pause" :
				 "/v1/listeners/lent/resume"),
		    409, EX_UNAVAILABLE, "its sockets are lent");
	test_control_logged(&test, "");
	test_control_done(&test);
}
END_TEST

START_TEST(a_worker_is_drained)
{
	test_control_init(&test, 2, geteuid(), RECORD_NO_ID);
	start();
	expect_change("/v1/listeners/www/workers/b/drain", "www: worker b",
	    "draining: it gets no more, and finishes what it has");
	ck_assert(!test_pool_worker(&test.pool, 0)->draining);
	ck_assert(test_pool_worker(&test.pool, 1)->draining);
	test_control_is_result(test_control_ask(&test, "POST",
				   "/v1/listeners/www/workers/c/drain"),
	    404, EX_USAGE, "no such worker");
	test_control_logged(&test, "");
	test_control_done(&test);
}
END_TEST

START_TEST(a_listener_that_does_not_exist_is_not_found)
{
	static const char *const paths[] = {"/v1/listeners/x/pause",
	    "/v1/listeners/x/resume", "/v1/listeners/x/workers/a/drain"};

	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	for (size_t i = 0; i < UNIT_COUNT(paths); i++)
		test_control_is_result(
		    test_control_ask(&test, "POST", paths[i]), 404, EX_USAGE,
		    "no such listener: see brokerctl status");
	test_control_is_result(
	    test_control_ask(&test, "GET", "/v1/listeners/x"), 404, EX_USAGE,
	    "no such listener: see brokerctl status");
	test_control_logged(&test, "");
	test_control_done(&test);
}
END_TEST

static int
ask_and_wait(const char *path, enum channel_type request)
{
	int fd = test_control_connect();
	enum channel_type asked;

	test_control_send(fd, "POST", path);
	while ((asked = test_control_asked(&test)) == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(asked, request);
	return fd;
}

START_TEST(the_monitor_is_asked_and_its_result_is_the_answer)
{
	static const struct {
		const char *path;
		enum channel_type asked;
		int status;
		unsigned int code;
	} requests[] = {
	    {"/v1/reload", CHANNEL_RELOAD, EX_OK, 200},
	    {"/v1/upgrade", CHANNEL_UPGRADE, EX_OK, 200},
	    {"/v1/reload", CHANNEL_RELOAD, EX_CONFIG, 422},
	    {"/v1/reload", CHANNEL_RELOAD, EX_TEMPFAIL, 503},
	    {"/v1/upgrade", CHANNEL_UPGRADE, EX_OSERR, 500},
	    {"/v1/upgrade", CHANNEL_UPGRADE, 1, 500},
	};
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	for (size_t i = 0; i < UNIT_COUNT(requests); i++) {
		fd = ask_and_wait(requests[i].path, requests[i].asked);
		control_on_result(&test.control,
		    requests[i].asked == CHANNEL_UPGRADE &&
			    requests[i].status == EX_OK ?
			CHANNEL_ASKED_UPGRADE :
			test.table.requests.count,
		    requests[i].status, "\xff the result");
		test_control_is_result(test_control_answer(&test, fd),
		    requests[i].code, requests[i].status, "? the result");
	}
	test_control_done(&test);
}
END_TEST

START_TEST(one_peer_waits_for_the_monitor_at_a_time)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = ask_and_wait("/v1/reload", CHANNEL_RELOAD);
	test_control_is_result(test_control_ask(&test, "POST", "/v1/upgrade"),
	    503, EX_TEMPFAIL, "another reload or upgrade is in progress");
	ck_assert_uint_eq(test_control_asked(&test), 0);
	control_on_result(
	    &test.control, test.table.requests.count, EX_OK, "reloaded");
	test_control_is_result(
	    test_control_answer(&test, fd), 200, EX_OK, "reloaded");
	fd = ask_and_wait("/v1/upgrade", CHANNEL_UPGRADE);
	control_on_result(
	    &test.control, CHANNEL_ASKED_UPGRADE, EX_OK, "upgraded");
	test_control_is_result(
	    test_control_answer(&test, fd), 200, EX_OK, "upgraded");
	test_control_done(&test);
}
END_TEST

/* The reload in progress may be older than what they want to be read. */
START_TEST(further_peers_wait_for_the_next_reload)
{
	int fd, joining, again, late;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = ask_and_wait("/v1/reload", CHANNEL_RELOAD);
	joining = test_control_connect();
	test_control_send(joining, "POST", "/v1/reload");
	again = test_control_connect();
	test_control_send(again, "POST", "/v1/reload?wait=again");
	test_control_settle(&test);
	ck_assert_uint_eq(test_control_asked(&test), 0);
	control_on_result(
	    &test.control, test.table.requests.count, EX_CONFIG, "wrong");
	test_control_is_result(
	    test_control_answer(&test, fd), 422, EX_CONFIG, "wrong");
	test_control_is_result(
	    test_control_answer(&test, again), 422, EX_CONFIG, "wrong");
	ck_assert_uint_eq(test_control_asked(&test), CHANNEL_RELOAD);
	late = test_control_connect();
	test_control_send(late, "POST", "/v1/reload");
	test_control_settle(&test);
	/* As the engine does at a success. */
	control_stop(&test.control);
	control_on_result(
	    &test.control, test.table.requests.count, EX_OK, "reloaded");
	test_control_is_result(
	    test_control_answer(&test, joining), 200, EX_OK, "reloaded");
	ck_assert_str_eq(test_control_answer(&test, late), "");
	ck_assert_uint_eq(test_control_asked(&test), 0);
	test_control_done(&test);
}
END_TEST

/* The monitor also reloads when a signal tells it to, and when the engine or
 * somebody who does not wait has asked. */
START_TEST(the_result_of_another_reload_is_not_the_answer)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	test_control_ask(&test, "POST", "/v1/reload?wait=no");
	ck_assert_int_eq(test_control_asked(&test), CHANNEL_RELOAD);
	fd = ask_and_wait("/v1/reload", CHANNEL_RELOAD);
	control_on_result(&test.control, 0, EX_CONFIG, "a signal's");
	control_on_result(&test.control, 1, EX_CONFIG, "somebody else's");
	control_on_result(&test.control, 2, EX_CONFIG, "this one's");
	test_control_is_result(
	    test_control_answer(&test, fd), 422, EX_CONFIG, "this one's");
	fd = ask_and_wait("/v1/reload", CHANNEL_RELOAD);
	control_stop(&test.control);
	control_on_result(&test.control, 2, EX_OK, "a signal's");
	ck_assert_str_eq(test_control_answer(&test, fd), "");
	test_control_done(&test);
}
END_TEST

/* It asked before this engine served, and so before any reload whose result
 * this engine gets. */
START_TEST(whoever_asks_again_takes_any_result)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = ask_and_wait("/v1/reload?wait=again", CHANNEL_RELOAD);
	control_on_result(&test.control, 0, EX_OK, "a signal's");
	test_control_is_result(
	    test_control_answer(&test, fd), 200, EX_OK, "a signal's");
	test_control_done(&test);
}
END_TEST

START_TEST(an_upgrade_is_the_answer_to_an_upgrade)
{
	static const char *const paths[] = {
	    "/v1/upgrade", "/v1/upgrade?wait=again", "/v1/reload"};
	enum channel_type asked = _i < 2 ? CHANNEL_UPGRADE : CHANNEL_RELOAD;
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = ask_and_wait(paths[_i], asked);
	control_stop(&test.control);
	control_on_result(
	    &test.control, CHANNEL_ASKED_UPGRADE, EX_OK, "upgraded");
	if (_i < 2)
		test_control_is_result(
		    test_control_answer(&test, fd), 200, EX_OK, "upgraded");
	else
		ck_assert_str_eq(test_control_answer(&test, fd), "");
	test_control_done(&test);
}
END_TEST

/* It waits until engines have drained, and others are replaced meanwhile. */
START_TEST(a_reload_is_not_the_answer_to_an_upgrade)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = ask_and_wait("/v1/upgrade", CHANNEL_UPGRADE);
	control_stop(&test.control);
	control_on_result(&test.control, 1, EX_OK, "reloaded");
	ck_assert_str_eq(test_control_answer(&test, fd), "");
	test_control_done(&test);
}
END_TEST

/* The next engine does it, if the upgrade succeeds. */
START_TEST(a_reload_waits_for_the_end_of_an_upgrade)
{
	const char *path = _i == 0 ? "/v1/reload" : "/v1/reload?wait=again";
	int fd, joining;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = ask_and_wait("/v1/upgrade", CHANNEL_UPGRADE);
	joining = test_control_connect();
	test_control_send(joining, "POST", path);
	test_control_settle(&test);
	ck_assert_uint_eq(test_control_asked(&test), 0);
	control_on_result(&test.control, 1, EX_OSERR, "no upgrade");
	test_control_is_result(
	    test_control_answer(&test, fd), 500, EX_OSERR, "no upgrade");
	ck_assert_uint_eq(test_control_asked(&test), CHANNEL_RELOAD);
	control_on_result(&test.control, 2, EX_CONFIG, "wrong");
	test_control_is_result(
	    test_control_answer(&test, joining), 422, EX_CONFIG, "wrong");
	test_control_done(&test);
}
END_TEST

START_TEST(who_does_not_wait_is_answered_at_once)
{
	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	test_control_is_result(
	    test_control_ask(&test, "POST", "/v1/reload?wait=no"), 200, EX_OK,
	    "asked for it");
	ck_assert_int_eq(test_control_asked(&test), CHANNEL_RELOAD);
	control_on_result(&test.control, test.table.requests.count, EX_CONFIG,
	    "nobody waits for this");
	test_control_done(&test);
}
END_TEST

START_TEST(without_a_monitor_nothing_can_be_reloaded)
{
	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	ck_assert_int_eq(shutdown(test.monitor, SHUT_RDWR), 0);
	for (int i = 0; i < 2; i++) /* no client waits afterwards */
		test_control_is_result(
		    test_control_ask(&test, "POST", "/v1/reload"), 409,
		    EX_UNAVAILABLE, "brokerd itself has died");
	test_control_done(&test);
}
END_TEST

START_TEST(a_socket_is_asked_for_by_its_number)
{
	static const char *const wrong[] = {
	    "", "x", "1x", "-1", "+1", "%201", "0x1"};
	char path[64];

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
		snprintf(path, sizeof(path), "/v1/sockets/%s", wrong[i]);
		test_control_is_result(test_control_ask(&test, "GET", path),
		    404, EX_USAGE, "expected the inode number of a socket");
	}
	test_control_is_result(
	    test_control_ask(&test, "GET", "/v1/sockets/18446744073709551616"),
	    404, EX_USAGE, "no socket of the engine has this number");
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(routes)
{
	TCase *tc = unit_case(suite, "changes");

	tcase_add_test(tc, a_listener_is_paused_and_resumed);
	tcase_add_test(tc, a_lent_listener_cannot_be_paused);
	tcase_add_test(tc, a_worker_is_drained);
	tcase_add_test(tc, a_listener_that_does_not_exist_is_not_found);
	tc = unit_case(suite, "monitor");
	tcase_add_test(tc, the_monitor_is_asked_and_its_result_is_the_answer);
	tcase_add_test(tc, one_peer_waits_for_the_monitor_at_a_time);
	tcase_add_test(tc, further_peers_wait_for_the_next_reload);
	tcase_add_test(tc, the_result_of_another_reload_is_not_the_answer);
	tcase_add_test(tc, whoever_asks_again_takes_any_result);
	tcase_add_loop_test(tc, an_upgrade_is_the_answer_to_an_upgrade, 0, 3);
	tcase_add_test(tc, a_reload_is_not_the_answer_to_an_upgrade);
	tcase_add_loop_test(tc, a_reload_waits_for_the_end_of_an_upgrade, 0, 2);
	tcase_add_test(tc, who_does_not_wait_is_answered_at_once);
	tcase_add_test(tc, without_a_monitor_nothing_can_be_reloaded);
	tc = unit_case(suite, "sockets");
	tcase_add_test(tc, a_socket_is_asked_for_by_its_number);
}
