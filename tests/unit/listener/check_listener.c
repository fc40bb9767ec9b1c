/* SPDX-License-Identifier: ISC */
/*
 * Listeners: their names, when they accept, and how long connections wait.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "engine/listener/listener.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_pool test;
static struct listener *listener;
static int port; /* of the listener's only socket, as a client sees it */
static int log_end;

/* A listener "web" with one TCP socket. */
static void
open_listener(unsigned int workers)
{
	struct record_endpoint record;
	int log[2];

	test_pool_init_receipted(&test, workers);
	unsetenv("JOURNAL_STREAM");
	ck_assert_int_eq(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
	log_init(&test.core.log, "engine", log[1]);
	log_end = log[0];
	port = net_listen(AF_INET);
	record = record_sample_inet(RECORD_TCP, "127.0.0.1", net_port(port))
		     .u.endpoint;
	snprintf(record.listener, sizeof(record.listener), "web");
	listener = listener_new(&test.core.listeners, test.pool, "web");
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(
	    listener_add(listener, &record, 0, fcntl(port, F_DUPFD_CLOEXEC, 0)),
	    0);
}

static void
close_listener(void)
{
	pool_clear(test.pool);
	listener_free(listener);
	close(port);
	close(log_end);
	close(test.core.log.fd);
	test_pool_done(&test);
}

/* Runs the loop until the log has a line with that text. */
static void
await_log(const char *text)
{
	char line[2048];
	ssize_t size;

	do {
		while (!net_polls(log_end, POLLIN))
			ck_assert_int_eq(
			    event_base_loop(test.core.base, EVLOOP_ONCE), 0);
		size = read(log_end, line, sizeof(line) - 1);
		ck_assert_int_gt(size, 0);
		line[size] = '\0';
	} while (strstr(line, text) == NULL);
}

/* The counters are shared with earlier engines, which may have written
 * anything. */
START_TEST(a_listener_keeps_its_name_whatever_is_in_the_counters)
{
	struct listener_list list = TAILQ_HEAD_INITIALIZER(list);
	int client;

	open_listener(0);
	TAILQ_INSERT_TAIL(&list, listener, entry);
	memset(listener->stats->name, 'y', sizeof(listener->stats->name));
	ck_assert_ptr_eq(listener_find(&list, "web"), listener);
	client = net_connect(port);
	listener_start(listener);
	await_log("listener web: no worker");
	close_listener();
	close(client);
}
END_TEST

UNIT_SUITE(listener)
{
	TCase *tc = unit_case(suite, "listener");

	tcase_add_test(
	    tc, a_listener_keeps_its_name_whatever_is_in_the_counters);
}
