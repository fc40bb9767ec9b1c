/* SPDX-License-Identifier: ISC */
/*
 * The upkeep of bound sockets: when it looks, what it says, and when it asks
 * for a reload.
 */
#include "fixture/fake_clock.h"
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/channel.h"

#include "engine/handoff/stats.h"
#include "engine/listener/rebind.h"
#include "engine/listener/socket_queue.h"
#include "engine/listener/upkeep.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MINUTES_MS 300000

static struct {
	struct event_base *base;
	struct record record;
	struct upkeep upkeep;
	struct requests requests;
	struct rebind rebind;
	struct persistent persistent;
	struct stats_listener stats;
	struct log log;
	int lines[2];
	int channel[2];
	int fd;
} test;

static void
init(struct record record, int fd)
{
	memset(&test, 0, sizeof(test));
	test.base = event_base_new();
	test.record = record;
	test.fd = fd;
	ck_assert_int_eq(pipe2(test.lines, O_CLOEXEC | O_NONBLOCK), 0);
	log_init(&test.log, "engine", test.lines[1]);
	ck_assert_int_eq(channel_pair(test.channel), 0);
	test.requests.channel = test.channel[1];
	ck_assert_int_eq(rebind_init(&test.rebind, test.base, &test.requests,
			     &test.log, &test.persistent),
	    0);
	test.upkeep = (struct upkeep){.role = "listener ",
	    .name = "www",
	    .sock = &test.record.u.socket,
	    .lent = 1,
	    .fd = fd,
	    .log = &test.log,
	    .rebind = &test.rebind,
	    .stats = &test.stats};
}

static struct repair_models models;

static void
start(void)
{
	repair_models_read(&models);
	upkeep_start(&test.upkeep, test.base, &models);
}

static int
look(int all)
{
	return upkeep_look(&test.upkeep, all ? &models : NULL);
}

static void
init_tcp(void)
{
	init(record_sample_inet(RECORD_TCP, "127.0.0.1", 80),
	    net_listen(AF_INET));
	ck_assert_int_eq(fcntl(test.fd, F_SETFL, 0), 0);
	start();
}

static void
init_local(void)
{
	init(record_sample_unix(RECORD_UNIX_STREAM, unit_path("s")),
	    net_bind(unit_path("s"), SOCK_STREAM));
}

static void
done(void)
{
	upkeep_stop(&test.upkeep);
	rebind_done(&test.rebind);
	close(test.fd);
	for (int i = 0; i < 2; i++) {
		close(test.lines[i]);
		fd_close(test.channel[i]);
	}
	event_base_free(test.base);
}

static void
assert_log(const char *text)
{
	char line[1024];
	ssize_t n = read(test.lines[0], line, sizeof(line) - 1);

	line[n < 0 ? 0 : n] = '\0';
	if (text == NULL)
		ck_assert_str_eq(line, "");
	else
		ck_assert_ptr_nonnull(strstr(line, text));
}

static void
settle(void)
{
	event_base_loop(test.base, EVLOOP_NONBLOCK);
}

static int
has_asked(void)
{
	struct channel_message message;
	int fd;

	return channel_receive(
		   test.channel[0], 1, CHANNEL_SERVING, &message, &fd) == 1 &&
	    message.header.type == CHANNEL_RELOAD;
}

/* Fires the timer if it is to fire at once. */
static int
asks_at_once(void)
{
	if (!timer_is_set(&test.rebind.ask) ||
	    test.rebind.ask_ms != fake_clock.passed_us / 1000 + 1000000)
		return 0;
	test.rebind.ask.on_time(test.rebind.ask.owner);
	return has_asked();
}

START_TEST(a_socket_that_is_in_order_costs_nothing)
{
	int client;

	init_tcp();
	client = net_connect(test.fd);
	settle();
	ck_assert(!timer_is_set(&test.upkeep.look));
	ck_assert(event_pending(test.upkeep.shut_down, EV_WRITE, NULL));
	ck_assert(look(1));
	assert_log(NULL);
	ck_assert_uint_eq(test.stats.repaired, 0);
	close(client);
	done();
}
END_TEST

/* And not at once, so that its program finds it shut down. */
START_TEST(a_socket_that_is_shut_down_listens_again_later)
{
	init_tcp();
	for (unsigned int i = 1; i < 3; i++) {
		ck_assert_int_eq(shutdown(test.fd, SHUT_RDWR), 0);
		settle();
		ck_assert(timer_is_set(&test.upkeep.look));
		assert_log(NULL);
		test.upkeep.look.on_time(test.upkeep.look.owner);
		timer_stop(&test.upkeep.look);
		assert_log("was left changed (shut down): it is as configured");
		ck_assert_uint_eq(test.stats.repaired, i);
	}
	done();
}
END_TEST

START_TEST(a_socket_that_is_closed_is_looked_at_no_more)
{
	init_tcp();
	shutdown(test.fd, SHUT_RDWR);
	upkeep_stop(&test.upkeep);
	ck_assert(look(1));
	assert_log(NULL);
	done();
}
END_TEST

/* A local socket cannot listen again. */
START_TEST(a_dead_socket_causes_one_reload)
{
	init_local();
	start();
	ck_assert_int_eq(shutdown(test.fd, SHUT_RDWR), 0);
	settle();
	ck_assert(!timer_is_set(&test.rebind.ask));
	for (int i = 0; i < 2; i++) {
		ck_assert(!look(1));
		assert_log(i == 0 ? "/s cannot be used any more (shut down): a "
				    "reload binds it anew" :
				    NULL);
	}
	ck_assert(asks_at_once());
	ck_assert(!has_asked());
	done();
}
END_TEST

START_TEST(a_dead_udp_socket_causes_a_reload)
{
	init(record_sample_inet(RECORD_UDP, "127.0.0.1", 1024),
	    socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	start();
	shutdown(test.fd, SHUT_RDWR);
	ck_assert(!look(1));
	assert_log("cannot be used any more (shut down): a reload binds it");
	ck_assert(asks_at_once());
	done();
}
END_TEST

START_TEST(a_file_that_is_gone_causes_a_reload)
{
	int other = -1;

	init_local();
	start();
	ck_assert_int_eq(rename(unit_path("s"), unit_path("t")), 0);
	if (_i)
		other = net_bind(unit_path("s"), SOCK_STREAM);
	ck_assert(!look(0));
	assert_log("(its file is gone or replaced): a reload");
	ck_assert(asks_at_once());
	fd_close(other);
	done();
}
END_TEST

START_TEST(a_backlog_of_a_local_socket_is_put_right)
{
	struct socket_diag diag = {.fd = -1};
	struct socket_queue queue;

	socket_diag_open(&diag);
	init_local();
	test.upkeep.diag = &diag;
	test.upkeep.lent = _i; /* else an earlier engine changed it */
	ck_assert_int_eq(listen(test.fd, 1), 0);
	start();
	assert_log("its backlog)");
	ck_assert_int_eq(listen(test.fd, 0), 0);
	ck_assert(look(1));
	assert_log("its backlog)");
	socket_queue_ask(&diag, &test.record.u.socket, test.fd, &queue);
	ck_assert_uint_eq(queue.limit, test.record.u.socket.backlog);
	done();
	socket_diag_close(&diag);
}
END_TEST

/* Its name is free when all processes have closed it, not before. */
START_TEST(a_dead_socket_with_an_abstract_name_causes_no_reload)
{
	char name[64];

	snprintf(name, sizeof(name), "@upkeep-%d", (int)getpid());
	init(record_sample_unix(RECORD_UNIX_STREAM, name),
	    net_bind(name, SOCK_STREAM));
	ck_assert_int_eq(shutdown(test.fd, SHUT_RDWR), 0);
	start();
	assert_log("end the programs that have it");
	ck_assert(!timer_is_set(&test.rebind.ask));
	done();
}
END_TEST

static void
start_dead(uint64_t asked_ms)
{
	init_local();
	ck_assert_int_eq(shutdown(test.fd, SHUT_RDWR), 0);
	test.persistent.rebind_ms = asked_ms;
	start();
}

/* As after the crash of an engine that was taken over. */
START_TEST(a_socket_that_is_dead_at_the_start_causes_a_reload)
{
	start_dead(0);
	ck_assert(asks_at_once());
	done();
	ck_assert_int_eq(unlink(unit_path("s")), 0);
	/* No such time can be: another engine wrote it. */
	start_dead(UINT64_MAX);
	ck_assert(asks_at_once());
	done();
}
END_TEST

START_TEST(a_reload_that_does_not_help_is_not_asked_for_soon_again)
{
	uint64_t now = fake_clock.passed_us / 1000 + 1000000;

	start_dead(now + 1);
	ck_assert(timer_is_set(&test.rebind.ask));
	ck_assert_uint_eq(test.rebind.ask_ms, now + MINUTES_MS);
	/* Nor after one that fails, and for which this engine goes on. */
	test.rebind.ask.on_time(test.rebind.ask.owner);
	ck_assert(has_asked());
	ck_assert_uint_eq(test.rebind.ask_ms, now + MINUTES_MS);
	/* An engine that drains leaves it to the next one. */
	rebind_stop(&test.rebind);
	ck_assert(!timer_is_set(&test.rebind.ask));
	done();
}
END_TEST

/* By a program that shuts its socket down each time that it gets it. */
START_TEST(reloads_become_rare_if_there_are_many)
{
	uint64_t until, now = fake_clock.passed_us / 1000 + 1000000;

	init_local();
	for (int i = 0; i < 6; i++) {
		rebind_ask(&test.rebind, 0);
		ck_assert(asks_at_once());
		rebind_stop(&test.rebind); /* the next engine */
	}
	until = test.persistent.rebind_ms;
	rebind_ask(&test.rebind, 0);
	ck_assert(!asks_at_once());
	ck_assert_uint_eq(test.rebind.ask_ms, until - MINUTES_MS);
	ck_assert_uint_gt(test.rebind.ask_ms, now);
	done();
}
END_TEST

UNIT_SUITE(upkeep)
{
	TCase *tc = unit_case(suite, "upkeep");

	fake_clock_stop_in(tc);
	tcase_add_test(tc, a_socket_that_is_in_order_costs_nothing);
	tcase_add_test(tc, a_socket_that_is_shut_down_listens_again_later);
	tcase_add_test(tc, a_socket_that_is_closed_is_looked_at_no_more);
	tcase_add_test(tc, a_dead_socket_causes_one_reload);
	tcase_add_loop_test(tc, a_backlog_of_a_local_socket_is_put_right, 0, 2);
	tcase_add_test(tc, a_dead_udp_socket_causes_a_reload);
	tcase_add_loop_test(tc, a_file_that_is_gone_causes_a_reload, 0, 2);
	tcase_add_test(
	    tc, a_dead_socket_with_an_abstract_name_causes_no_reload);
	tcase_add_test(tc, a_socket_that_is_dead_at_the_start_causes_a_reload);
	tcase_add_test(tc, reloads_become_rare_if_there_are_many);
	tcase_add_test(
	    tc, a_reload_that_does_not_help_is_not_asked_for_soon_again);
}
