/* SPDX-License-Identifier: ISC */
/*
 * A whole engine, in a process of its own, as its monitor sees it.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "channel/channel.h"
#include "engine/engine.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define STRANGER 60599
#define WAIT_MS 3000

static struct setup {
	int ends[2]; /* the monitor's, the engine's */
	pid_t engine;
	struct record records[3];
	int fds[3];
} setup;

static void
body(void *argument)
{
	int memory = memfd_create("counters", MFD_CLOEXEC);

	(void)argument;
	unit_must(ftruncate(memory, CHANNEL_MEMFD_SIZE) == 0);
	setup.ends[1] = dup(setup.ends[1]); /* neither is in the way */
	unit_must(dup2(dup(memory), CHANNEL_MEMFD) == CHANNEL_MEMFD);
	unit_must(dup2(setup.ends[1], CHANNEL_FD) == CHANNEL_FD);
	if (geteuid() == 0) {
		unit_must(setgroups(0, NULL) == 0);
		unit_must(setresgid(STRANGER, STRANGER, STRANGER) == 0);
		unit_must(setresuid(STRANGER, STRANGER, STRANGER) == 0);
	}
	unit_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	unit_must(close_range(CHANNEL_MEMFD + 1, ~0U, 0) == 0);
	_exit(engine_main(NULL));
}

/* An engine that has no socket yet; ready are an endpoint, the rendezvous and
 * the control socket. */
static void
init(void)
{
	struct record *records = setup.records;
	const char *path;

	ck_assert_int_eq(channel_pair(setup.ends), 0);
	setup.engine = unit_fork(body, NULL);
	close(setup.ends[1]);
	records[0] = record_sample_inet(RECORD_TCP, "127.0.0.1", 80);
	setup.fds[0] = net_listen(AF_INET);
	path = unit_path("rendezvous");
	records[1] = record_sample_unix(RECORD_UNIX_SEQPACKET, path);
	records[1].type = RECORD_RENDEZVOUS;
	setup.fds[1] = net_bind(path, SOCK_SEQPACKET | SOCK_NONBLOCK);
	path = unit_path("control");
	records[2] = record_sample_unix(RECORD_UNIX_STREAM, path);
	records[2].type = RECORD_CONTROL;
	records[2].u.control.owner = geteuid();
	setup.fds[2] = net_bind(path, SOCK_STREAM | SOCK_NONBLOCK);
}

/* Asserts how the engine ends. */
static void
expect_end(int status)
{
	ck_assert_int_eq(unit_reap(setup.engine, 0), status);
	if (setup.ends[0] != -1)
		close(setup.ends[0]);
	for (int i = 0; i < 3; i++)
		close(setup.fds[i]);
}

static void
say_socket(uint32_t index, uint32_t count, const struct record *record, int fd)
{
	struct channel_message message = {0};

	message.u.socket.index = index;
	message.u.socket.count = count;
	message.u.socket.record = *record;
	ck_assert_int_eq(
	    channel_send(setup.ends[0], CHANNEL_SOCKET, &message, fd), 0);
}

static void
say(enum channel_type type)
{
	ck_assert_int_eq(channel_send(setup.ends[0], type, NULL, -1), 0);
}

/* Asserts what the engine says next. */
static void
expect(enum channel_type type, enum channel_phase phase)
{
	struct pollfd readable = {.fd = setup.ends[0], .events = POLLIN};
	struct channel_message message;
	int fd;

	ck_assert_int_eq(poll(&readable, 1, WAIT_MS), 1);
	ck_assert_int_eq(
	    channel_receive(setup.ends[0], 1, phase, &message, &fd), 1);
	ck_assert_uint_eq(message.header.type, type);
}

static void
load(uint32_t orphan_timeout_s)
{
	init();
	setup.records[1].u.rendezvous.orphan_timeout_s = orphan_timeout_s;
	for (uint32_t i = 0; i < 3; i++)
		say_socket(i, 3, &setup.records[i], setup.fds[i]);
	expect(CHANNEL_READY, CHANNEL_LOADING);
}

static void
serve(uint32_t orphan_timeout_s)
{
	load(orphan_timeout_s);
	say(CHANNEL_START);
	say(CHANNEL_PING);
	expect(CHANNEL_PONG, CHANNEL_SERVING);
}

static void
say_drain(void)
{
	struct channel_message message = {0};

	message.u.drain.timeout_ms = 10000;
	ck_assert_int_eq(
	    channel_send(setup.ends[0], CHANNEL_DRAIN, &message, -1), 0);
}

static void
hang_up(void)
{
	close(setup.ends[0]);
	setup.ends[0] = -1;
}

START_TEST(it_serves_until_it_is_drained)
{
	serve(300);
	say_drain();
	expect_end(EX_OK);
}
END_TEST

START_TEST(an_engine_that_was_only_tried_ends)
{
	load(300);
	if (_i == 0)
		hang_up();
	else
		say_drain();
	expect_end(EX_OK);
}
END_TEST

/* What the monitor sends is checked all the same. */
START_TEST(a_socket_that_is_out_of_place_ends_it)
{
	struct record *records = setup.records;

	init();
	switch (_i) {
	case 0:
	case 1: /* a second one */
		say_socket(0, 3, &records[1 + _i], setup.fds[1 + _i]);
		say_socket(1, 3, &records[1 + _i], setup.fds[1 + _i]);
		break;
	case 2: /* not the first one */
		say_socket(1, 3, &records[0], setup.fds[0]);
		break;
	case 3:
		records[0].u.endpoint.window = 0;
		say_socket(0, 3, &records[0], setup.fds[0]);
		break;
	case 4:
		records[0].type = RECORD_SETTINGS;
		say_socket(0, 3, &records[0], setup.fds[0]);
		break;
	}
	expect_end(EX_OSERR);
}
END_TEST

START_TEST(a_message_out_of_place_ends_it)
{
	init();
	say(CHANNEL_START);
	expect_end(EX_PROTOCOL);
}
END_TEST

START_TEST(without_a_monitor_it_ends_after_a_time)
{
	serve(0);
	hang_up();
	expect_end(EX_OK);
}
END_TEST

/* Asks for a reload, and asserts that the monitor is told. */
static int
ask_for_reload(void)
{
	static const char request[] = "POST /v1/reload HTTP/1.0\r\n"
				      "Content-Length: 0\r\n\r\n";
	int fd = net_reach(unit_path("control"), SOCK_STREAM);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, request, sizeof(request) - 1),
	    (ssize_t)sizeof(request) - 1);
	expect(CHANNEL_RELOAD, CHANNEL_SERVING);
	return fd;
}

/* Asserts what is answered; takes fd. */
static void
expect_answer(int fd, const char *code, const char *text)
{
	char answer[1024];

	ck_assert_int_eq(net_read_all(fd, answer, sizeof(answer)), 0);
	ck_assert_msg(strstr(answer, code) != NULL, "%s", answer);
	ck_assert_msg(strstr(answer, text) != NULL, "%s", answer);
	close(fd);
}

START_TEST(a_reload_is_answered_with_its_result)
{
	struct channel_message message = {0};
	int fd;

	serve(300);
	fd = ask_for_reload();
	message.u.result.status = EX_CONFIG;
	snprintf(message.u.result.text, sizeof(message.u.result.text),
	    "line 7 is wrong");
	ck_assert_int_eq(
	    channel_send(setup.ends[0], CHANNEL_RESULT, &message, -1), 0);
	expect_answer(fd, " 422 ", "line 7 is wrong");
	say_drain();
	expect_end(EX_OK);
}
END_TEST

START_TEST(a_reload_is_answered_when_the_monitor_dies)
{
	int fd;

	serve(0);
	fd = ask_for_reload();
	hang_up();
	expect_answer(fd, " 503 ", "it is not known whether this was done");
	expect_end(EX_OK);
}
END_TEST

START_TEST(an_orphan_says_how_long_it_lives)
{
	static const char request[] = "GET /v1/status HTTP/1.0\r\n\r\n";
	char answer[8192], *found;
	unsigned int orphan_ms = 0;
	int fd;

	serve(300);
	fd = ask_for_reload(); /* its answer tells that the end is known */
	hang_up();
	expect_answer(fd, " 503 ", "not known");
	fd = net_reach(unit_path("control"), SOCK_STREAM);
	ck_assert_int_eq(write(fd, request, sizeof(request) - 1),
	    (ssize_t)sizeof(request) - 1);
	ck_assert_int_eq(net_read_all(fd, answer, sizeof(answer)), 0);
	found = strstr(answer, "\"orphan_ms\": ");
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(sscanf(found, "\"orphan_ms\": %u", &orphan_ms), 1);
	ck_assert_uint_gt(orphan_ms, 290000);
	ck_assert_uint_le(orphan_ms, 300000);
	close(fd);
	ck_assert_int_eq(unit_reap(setup.engine, 1), -SIGKILL);
	for (int i = 0; i < 3; i++)
		close(setup.fds[i]);
}
END_TEST

UNIT_SUITE(engine)
{
	TCase *tc = unit_case(suite, "engine");

	tcase_add_test(tc, it_serves_until_it_is_drained);
	tcase_add_loop_test(tc, an_engine_that_was_only_tried_ends, 0, 2);
	tcase_add_loop_test(tc, a_socket_that_is_out_of_place_ends_it, 0, 5);
	tcase_add_test(tc, a_message_out_of_place_ends_it);
	tcase_add_test(tc, without_a_monitor_it_ends_after_a_time);
	tcase_add_test(tc, a_reload_is_answered_with_its_result);
	tcase_add_test(tc, a_reload_is_answered_when_the_monitor_dies);
	tcase_add_test(tc, an_orphan_says_how_long_it_lives);
}
