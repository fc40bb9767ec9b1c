/* SPDX-License-Identifier: ISC */
/*
 * Rights of peers at the control socket, and their time limits.
 */
#include "fixture/net.h"
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include "base/clock.h"

#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define GROUP 60595
#define OF_A_USER 8
#define OF_USERS 24
#define MOST 32
#define STRANGER TEST_CONTROL_STRANGER

static struct test_control test;

/* True if the test can become another user. */
static int
is_root(void)
{
	if (geteuid() != 0)
		unit_skip("only root can connect as somebody else");
	return geteuid() == 0;
}

static const char *
ask_as(uid_t uid, gid_t gid, gid_t group, const char *method, const char *path)
{
	int fd = test_control_connect_as(uid, gid, group);

	test_control_send(fd, method, path);
	return test_control_answer(&test, fd);
}

/* By primary or supplementary group. */
START_TEST(a_member_of_the_group_may_ask_only)
{
	gid_t gid = _i == 0 ? GROUP : STRANGER,
	      group = _i == 0 ? STRANGER : GROUP;

	if (!is_root())
		return;
	test_control_init(&test, 0, RECORD_NO_ID, GROUP);
	test_control_body(
	    ask_as(STRANGER, gid, group, "GET", "/v1/listeners/www"), 200);
	test_control_is_result(
	    ask_as(STRANGER, gid, group, "POST", "/v1/reload"), 403, EX_NOPERM,
	    "may change anything");
	ck_assert_uint_eq(test_control_asked(&test), 0);
	test_control_done(&test);
}
END_TEST

START_TEST(a_stranger_may_do_nothing)
{
	static const gid_t groups[] = {GROUP, RECORD_NO_ID};

	if (!is_root())
		return;
	test_control_init(&test, 0, STRANGER + 1, groups[_i]);
	test_control_is_result(
	    ask_as(STRANGER, STRANGER, STRANGER, "GET", "/v1/listeners/www"),
	    403, EX_NOPERM, "members of control-group may ask");
	test_control_is_result(
	    ask_as(STRANGER, STRANGER, STRANGER, "POST", "/v1/reload"), 403,
	    EX_NOPERM, "members of control-group may ask");
	test_control_is_result(
	    ask_as(STRANGER, STRANGER, STRANGER, "GET", "/v1/nothing"), 403,
	    EX_NOPERM, "members of control-group may ask");
	ck_assert_uint_eq(test_control_asked(&test), 0);
	test_control_done(&test);
}
END_TEST

START_TEST(the_administrator_may_change_things)
{
	if (!is_root())
		return;
	test_control_init(&test, 0, STRANGER, RECORD_NO_ID);
	test_control_is_result(ask_as(STRANGER, STRANGER, STRANGER, "POST",
				   "/v1/listeners/www/pause"),
	    200, EX_OK, "paused");
	test_control_logged(&test,
	    "engine: listener www: paused: connections wait (asked by uid "
	    "60599)\n");
	test_control_done(&test);
}
END_TEST

START_TEST(root_may_change_things)
{
	if (!is_root())
		return;
	test_control_init(&test, 0, STRANGER, GROUP);
	test_control_is_result(
	    test_control_ask(&test, "POST", "/v1/listeners/www/pause"), 200,
	    EX_OK, "paused");
	test_control_done(&test);
}
END_TEST

static unsigned int
count_open(const int *fds, unsigned int count)
{
	unsigned int open = 0;

	for (unsigned int i = 0; i < count; i++)
		open += !net_polls(fds[i], POLLRDHUP);
	return open;
}

/* The limit does not apply to the administrator. */
START_TEST(a_user_who_may_only_ask_has_few_connections)
{
	int fds[2 * OF_A_USER], own[2 * OF_A_USER];

	if (!is_root())
		return;
	test_control_init(&test, 0, RECORD_NO_ID, GROUP);
	for (int i = 0; i < 2 * OF_A_USER; i++) {
		fds[i] = test_control_connect_as(STRANGER, GROUP, GROUP);
		own[i] = test_control_connect();
		test_control_settle(&test);
	}
	ck_assert_uint_eq(count_open(fds, 2 * OF_A_USER), OF_A_USER);
	ck_assert_uint_eq(count_open(own, 2 * OF_A_USER), 2 * OF_A_USER);
	for (int i = 0; i < 2 * OF_A_USER; i++) {
		close(fds[i]);
		close(own[i]);
	}
	test_control_done(&test);
}
END_TEST

/* Several members of the group leave some to root. */
START_TEST(all_who_may_only_ask_leave_connections_to_root)
{
	int fds[MOST];

	if (!is_root())
		return;
	test_control_init(&test, 0, RECORD_NO_ID, GROUP);
	for (unsigned int i = 0; i < MOST; i++) {
		fds[i] = test_control_connect_as(
		    STRANGER + i / OF_A_USER, GROUP, GROUP);
		test_control_settle(&test);
	}
	ck_assert_uint_eq(count_open(fds, MOST), OF_USERS);
	test_control_body(ask_as(0, 0, 0, "GET", "/v1/listeners/www"), 200);
	for (int i = 0; i < MOST; i++)
		close(fds[i]);
	test_control_done(&test);
}
END_TEST

START_TEST(root_need_not_wait_while_others_ask_without_end)
{
	struct effort *effort = &test.control.peers.effort;
	int fd;

	if (!is_root())
		return;
	test_control_init(&test, 0, RECORD_NO_ID, GROUP);
	test.rests = 1;
	effort->until_us = clock_us() + UINT64_C(3600000000);
	fd = test_control_connect_as(STRANGER, GROUP, GROUP);
	test_control_send(fd, "GET", "/v1/listeners/www");
	while (!timer_is_set(&test.control.rest))
		event_base_loop(test.pool.core.base, EVLOOP_ONCE);
	for (int i = 0; i < 2; i++)
		test_control_body(
		    ask_as(0, 0, 0, "GET", "/v1/listeners/www"), 200);
	ck_assert(!net_polls(fd, POLLIN | POLLRDHUP));
	test.rests = 0;
	effort->until_us = 0;
	timer_set(&test.control.rest, 0);
	test_control_body(test_control_answer(&test, fd), 200);
	ck_assert_uint_gt(effort->until_us, 0);
	test_control_done(&test);
}
END_TEST

/* The peer of that connection is dropped when its time is up. */
static void
expect_limit(int limited)
{
	struct peer *peer = TAILQ_FIRST(&test.control.peers.peers);

	ck_assert_ptr_nonnull(peer);
	ck_assert_int_eq(timer_is_set(&peer->limit), limited);
	if (limited)
		timer_set(&peer->limit, 0); /* now */
}

START_TEST(a_peer_that_does_not_ask_is_dropped)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = test_control_connect();
	if (_i == 1)
		ck_assert_int_eq(write(fd, "GET /v1", 7), 7);
	while (test.control.peers.count == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	test_control_settle(&test);
	expect_limit(1);
	ck_assert_str_eq(test_control_answer(&test, fd), "");
	ck_assert_uint_eq(test.control.peers.count, 0);
	test_control_done(&test);
}
END_TEST

START_TEST(a_peer_that_waits_for_the_monitor_has_no_limit)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = test_control_connect();
	test_control_send(fd, "POST", "/v1/reload");
	while (test_control_asked(&test) == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	expect_limit(0);
	control_on_result(
	    &test.control, test.table.requests.count, EX_OK, "done");
	expect_limit(1); /* for reading the answer */
	test_control_is_result(
	    test_control_answer(&test, fd), 200, EX_OK, "done");
	test_control_done(&test);
}
END_TEST

START_TEST(a_peer_that_waits_may_leave)
{
	int fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	fd = test_control_connect();
	test_control_send(fd, "POST", "/v1/reload");
	while (test_control_asked(&test) == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	close(fd);
	test_control_settle(&test);
	ck_assert(control_is_busy(&test.control)); /* not known yet */
	control_on_result(
	    &test.control, test.table.requests.count, EX_OK, "done");
	while (test.control.peers.count != 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(peer)
{
	TCase *tc = unit_case(suite, "rights");

	tcase_add_loop_test(tc, a_member_of_the_group_may_ask_only, 0, 2);
	tcase_add_loop_test(tc, a_stranger_may_do_nothing, 0, 2);
	tcase_add_test(tc, the_administrator_may_change_things);
	tcase_add_test(tc, root_may_change_things);
	tcase_add_test(tc, a_user_who_may_only_ask_has_few_connections);
	tcase_add_test(tc, all_who_may_only_ask_leave_connections_to_root);
	tcase_add_test(tc, root_need_not_wait_while_others_ask_without_end);
	tc = unit_case(suite, "time");
	tcase_add_loop_test(tc, a_peer_that_does_not_ask_is_dropped, 0, 2);
	tcase_add_test(tc, a_peer_that_waits_for_the_monitor_has_no_limit);
	tcase_add_test(tc, a_peer_that_waits_may_leave);
}
