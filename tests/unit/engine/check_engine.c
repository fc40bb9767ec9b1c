/* SPDX-License-Identifier: ISC */
/*
 * A whole engine, as monitor, service manager and brokerctl see it.
 */
#include "fixture/net.h"
#include "fixture/test_engine.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define SERVING "READY=1\nSTATUS=serving, endpoints: 1"
#define FAILED "READY=1\nSTATUS=reload failed: line 7 is wrong"
#define STORE "FDSTORE=1\nFDPOLL=0\nFDNAME=tcp,127.0.0.1,80"

static struct test_engine test;

START_TEST(it_serves_until_it_is_drained)
{
	test_engine_init(&test);
	test_engine_serve(&test);
	test_engine_say_drain(&test);
	test_engine_done(&test, EX_OK);
}
END_TEST

START_TEST(an_engine_that_was_only_tried_ends)
{
	test_engine_init(&test);
	test_engine_load(&test);
	if (_i == 0)
		test_engine_hang_up(&test);
	else
		test_engine_say_drain(&test);
	test_engine_done(&test, EX_OK);
}
END_TEST

/* Messages of the monitor are checked too. */
START_TEST(a_socket_that_is_out_of_place_ends_it)
{
	struct record *record = &test.records[0];

	test_engine_init(&test);
	if (_i < 2)
		record[0] = record[1] = record[1 + _i];
	else if (_i == 3)
		record->u.endpoint.window = 0;
	else if (_i == 4)
		record->type = RECORD_SETTINGS;
	test_engine_start(&test);
	switch (_i) {
	case 0: /* a second rendezvous, and a second control socket */
	case 1:
		test_engine_say_socket(&test, 0, 1 + (unsigned int)_i);
		test_engine_say_socket(&test, 1, 1 + (unsigned int)_i);
		break;
	case 2: /* not the first one */
		test_engine_say_socket(&test, 1, 0);
		break;
	case 3:
	case 4:
		test_engine_say_socket(&test, 0, 0);
		break;
	case 5: /* it has no record */
		test_engine_say_socket(&test, TEST_ENGINE_SOCKETS, 0);
		break;
	}
	test_engine_done(&test, EX_OSERR);
}
END_TEST

START_TEST(a_message_out_of_place_ends_it)
{
	test_engine_init(&test);
	test_engine_start(&test);
	test_engine_say(&test, CHANNEL_START);
	test_engine_done(&test, EX_PROTOCOL);
}
END_TEST

START_TEST(an_engine_that_ends_receives_nothing_more)
{
	test_engine_init(&test);
	test_engine_say_socket(&test, 1, 0); /* not the first one */
	test_engine_say(&test, CHANNEL_START);
	test_engine_start(&test);
	test_engine_done(&test, EX_OSERR);
}
END_TEST

START_TEST(without_a_monitor_it_ends_after_a_time)
{
	test_engine_init(&test);
	test.records[1].u.rendezvous.orphan_timeout_s = 0;
	test_engine_serve(&test);
	test_engine_hang_up(&test);
	test_engine_done(&test, EX_OK);
}
END_TEST

/* Asks for a reload, and waits until the monitor is told. */
static int
ask_for_reload(void)
{
	int fd = test_engine_ask("POST", "/v1/reload");

	test_engine_expect(&test, CHANNEL_RELOAD, CHANNEL_SERVING);
	test.asked++;
	return fd;
}

static void
expect_answer(int fd, const char *code, const char *text)
{
	const char *answer = test_engine_answer(fd);

	ck_assert_msg(strstr(answer, code) != NULL, "%s", answer);
	ck_assert_msg(strstr(answer, text) != NULL, "%s", answer);
}

START_TEST(a_reload_is_answered_with_its_result)
{
	int fd;

	test_engine_init(&test);
	test_engine_serve(&test);
	fd = ask_for_reload();
	test_engine_say_result(&test, EX_CONFIG, "line 7 is wrong");
	expect_answer(fd, " 422 ", "line 7 is wrong");
	test_engine_say_drain(&test);
	test_engine_done(&test, EX_OK);
}
END_TEST

/* By the engine that drains, which knows what was lent. */
START_TEST(a_reload_that_is_done_is_answered_when_the_drain_begins)
{
	struct channel_message message = {.u.drain.timeout_ms = 10000};
	int fd;

	test_engine_init(&test);
	test.records[0].u.endpoint.handoff = RECORD_LISTENER;
	if (_i)
		test.records[0].u.socket.flags |= RECORD_KEEP;
	test_engine_serve(&test);
	fd = ask_for_reload();
	test_engine_say_result(&test, EX_OK, "endpoints: 1 removed");
	message.u.drain.removed[0] = 1;
	ck_assert_int_eq(
	    channel_send(test.channel, CHANNEL_DRAIN, &message, -1), 0);
	expect_answer(fd, " 200 ",
	    _i ? "(on-removal = keep)\\nendpoints: 1 removed" :
		 "but errors: end it\\nendpoints: 1 removed");
	test_engine_done(&test, EX_OK);
}
END_TEST

/* The monitor dies, which the engine has noticed when it answers. */
static void
die(void)
{
	int fd = ask_for_reload();

	test_engine_hang_up(&test);
	expect_answer(fd, " 503 ", "it is not known whether this was done");
}

START_TEST(a_reload_is_answered_when_the_monitor_dies)
{
	test_engine_init(&test);
	test.records[1].u.rendezvous.orphan_timeout_s = 0;
	test_engine_serve(&test);
	die();
	test_engine_done(&test, EX_OK);
}
END_TEST

START_TEST(an_orphan_says_how_long_it_lives)
{
	unsigned int orphan_ms = 0;
	const char *found;

	test_engine_init(&test);
	test_engine_serve(&test);
	die();
	found = strstr(test_engine_answer(test_engine_ask("GET", "/v1/status")),
	    "\"orphan_ms\": ");
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(sscanf(found, "\"orphan_ms\": %u", &orphan_ms), 1);
	ck_assert_uint_gt(orphan_ms, 290000);
	ck_assert_uint_le(orphan_ms, 300000);
	test_engine_done(&test, -SIGKILL);
}
END_TEST

START_TEST(the_manager_is_told)
{
	test_engine_init(&test);
	test_engine_open_manager(&test);
	test_engine_serve(&test);
	test_engine_expect_message(&test, NULL, 0); /* RELOADING */
	test_engine_expect_message(&test, SERVING, 0);
	test_engine_expect_message(&test, STORE, 1);
	test_engine_expect_message(&test, "WATCHDOG=1", 0);
	test_engine_say_result(&test, EX_OK, "reloaded");
	test_engine_say_result(&test, EX_CONFIG, "line 7 is wrong");
	test_engine_expect_message(&test, NULL, 0);
	test_engine_expect_message(&test, FAILED, 0);
	test_engine_answer(test_engine_ask("GET", "/v1/status"));
	ck_assert_ptr_null(service_manager_next(&test.manager));
	test_engine_say_drain(&test);
	test_engine_done(&test, EX_OK);
}
END_TEST

/* Its drain closes sockets, whose numbers may be used again. */
START_TEST(an_orphan_stores_nothing_more)
{
	unsigned int count = 0;
	int own;

	test_engine_init(&test);
	test_engine_open_manager(&test);
	own = net_reach(test.address, SOCK_DGRAM | SOCK_NONBLOCK);
	while (send(own, "full", 4, 0) == 4)
		count++;
	test_engine_serve(&test);
	die();
	while (count-- > 0)
		test_engine_expect_message(&test, "full", 0);
	test_engine_expect_message(&test, NULL, 0); /* RELOADING */
	test_engine_expect_message(&test, SERVING, 0);
	/* Everything that it sent then is there when it answers. */
	test_engine_answer(test_engine_ask("GET", "/v1/status"));
	ck_assert_ptr_null(service_manager_next(&test.manager));
	close(own);
	test_engine_done(&test, -SIGKILL);
}
END_TEST

UNIT_SUITE(engine)
{
	TCase *tc = unit_case(suite, "phases");

	tcase_add_test(tc, it_serves_until_it_is_drained);
	tcase_add_loop_test(tc, an_engine_that_was_only_tried_ends, 0, 2);
	tcase_add_loop_test(tc, a_socket_that_is_out_of_place_ends_it, 0, 6);
	tcase_add_test(tc, a_message_out_of_place_ends_it);
	tcase_add_test(tc, an_engine_that_ends_receives_nothing_more);
	tcase_add_test(tc, without_a_monitor_it_ends_after_a_time);
	tc = unit_case(suite, "control");
	tcase_add_test(tc, a_reload_is_answered_with_its_result);
	tcase_add_loop_test(
	    tc, a_reload_that_is_done_is_answered_when_the_drain_begins, 0, 2);
	tcase_add_test(tc, a_reload_is_answered_when_the_monitor_dies);
	tcase_add_test(tc, an_orphan_says_how_long_it_lives);
	tc = unit_case(suite, "manager");
	tcase_add_test(tc, the_manager_is_told);
	tcase_add_test(tc, an_orphan_stores_nothing_more);
}
