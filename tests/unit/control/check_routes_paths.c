/* SPDX-License-Identifier: ISC */
/*
 * Requests to the control socket that are answered, and the errors for all
 * others.
 */
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static struct test_control test;

START_TEST(a_path_that_is_no_route_is_not_found)
{
	static const char *const paths[] = {"/", "//", "/v1", "/v1/",
	    "/v1/statu", "/v1/statuss", "/v1/status/", "/v1/status/x",
	    "/v2/status", "/x/v1/status", "/v1//status", "/v1/listeners",
	    "/v1/listeners/www/x", "/v1/listeners/www/paus",
	    "/v1/listeners/www/workers/a", "/v1/*/www/pause",
	    "/v1/listeners/www/workers/drain", "/v1/status%00",
	    "/v1/listeners/www/pause%00x"};

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	for (size_t i = 0; i < UNIT_COUNT(paths); i++)
		for (int j = 0; j < 2; j++)
			test_control_is_result(
			    test_control_ask(
				&test, j == 0 ? "GET" : "POST", paths[i]),
			    404, EX_USAGE, "no such path");
	test_control_is_result(
	    test_control_ask(&test, "GET", "/v1/listeners/www%00x"), 404,
	    EX_USAGE, "no such listener");
	test_control_done(&test);
}
END_TEST

/* Nothing happens, and the answer names the right method. */
START_TEST(a_path_with_the_wrong_method_is_refused)
{
	static const char *const shows[] = {"/v1/status", "/v1/workers",
	    "/v1/metrics", "/v1/listeners/www", "/v1/sockets/1"};
	static const char *const changes[] = {"/v1/listeners/www/pause",
	    "/v1/listeners/www/resume", "/v1/listeners/www/workers/a/drain",
	    "/v1/reload", "/v1/upgrade"};
	const char *answer;

	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	for (size_t i = 0; i < UNIT_COUNT(shows); i++) {
		answer = test_control_ask(&test, "POST", shows[i]);
		ck_assert_ptr_nonnull(strstr(answer, "\r\nAllow: GET\r\n"));
		test_control_is_result(
		    answer, 405, EX_PROTOCOL, "expected GET: ");
	}
	for (size_t i = 0; i < UNIT_COUNT(changes); i++) {
		answer = test_control_ask(&test, "GET", changes[i]);
		ck_assert_ptr_nonnull(strstr(answer, "\r\nAllow: POST\r\n"));
		test_control_is_result(
		    answer, 405, EX_PROTOCOL, "expected POST: ");
	}
	ck_assert_uint_eq(test_control_asked(&test), 0);
	ck_assert(!test_pool_worker(&test.pool, 0)->draining);
	test_control_logged(&test, "");
	test_control_done(&test);
}
END_TEST

START_TEST(words_of_a_path_are_decoded)
{
	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	json_decref(test_control_get(&test, "/v1/listeners/%77w%77"));
	json_decref(test_control_get(&test, "/%76%31/listeners/www?x=y"));
	/* An encoded slash does not separate words. */
	test_control_is_result(
	    test_control_ask(&test, "GET", "/v1/listeners/www%2Fpause"), 404,
	    EX_USAGE, "no such listener: see brokerctl status");
	test_control_done(&test);
}
END_TEST

START_TEST(the_last_route_that_is_tried_has_its_own_words)
{
	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	/* Like /v1/listeners/PAUSE; /pause and /resume match a part of it. */
	test_control_is_result(test_control_ask(&test, "POST",
				   "/v1/listeners/www/workers/a/drain"),
	    200, 0, "draining: it gets no more");
	ck_assert(test_pool_worker(&test.pool, 0)->draining);
	test_control_done(&test);
}
END_TEST

static void
expect_health(const char *listener, const char *wrong)
{
	char path[64];

	snprintf(path, sizeof(path), "/v1/listeners/%s/health", listener);
	test_control_is_result(test_control_ask(&test, "GET", path),
	    wrong == NULL ? 200 : 503, wrong == NULL ? EX_OK : EX_TEMPFAIL,
	    wrong == NULL ? "healthy" : wrong);
}

static void
change(const char *path)
{
	test_control_body(test_control_ask(&test, "POST", path), 200);
}

START_TEST(a_listener_is_healthy_if_clients_may_be_sent_there)
{
	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	expect_health("www", "this engine is ending");
	socket_table_start(&test.table);
	test_control_settle(&test);
	expect_health("www", NULL);
	expect_health("lent", "no program has its sockets");
	change("/v1/listeners/www/pause");
	expect_health("www", "paused: connections wait");
	change("/v1/listeners/www/resume");
	expect_health("www", NULL);
	change("/v1/listeners/www/workers/a/drain");
	expect_health("www", "no worker takes connections");
	test_control_is_result(
	    test_control_ask(&test, "GET", "/v1/listeners/x/health"), 404,
	    EX_USAGE, "no such listener: see brokerctl status");
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(routes_paths)
{
	TCase *tc = unit_case(suite, "paths");

	tcase_add_test(tc, a_path_that_is_no_route_is_not_found);
	tcase_add_test(tc, a_path_with_the_wrong_method_is_refused);
	tcase_add_test(tc, words_of_a_path_are_decoded);
	tcase_add_test(tc, the_last_route_that_is_tried_has_its_own_words);
	tcase_add_test(tc, a_listener_is_healthy_if_clients_may_be_sent_there);
}
