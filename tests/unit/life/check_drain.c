/* SPDX-License-Identifier: ISC */
/*
 * The end of an engine: what it has in its hands gets to workers, what waits
 * where nobody takes over is served first, and there is a last moment.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/control/control.h"
#include "engine/life/drain.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ENDPOINTS 3
#define LONG_MS 60000

static struct test_child {
	struct test_pool test;
	struct listener_list listeners;
	struct listener *listener;
	struct control control; /* there is none */
	struct drain drain;
	int status;
	int sockets[ENDPOINTS]; /* as the monitor holds them */
	struct record_endpoint records[ENDPOINTS];
} child;

/* A listener with endpoints 0 to 2, of which 2 is lent, in service. */
static void
init(unsigned int workers)
{
	struct core *core = &child.test.core;

	child.status = -1;
	test_pool_init_receipted(&child.test, workers);
	TAILQ_INIT(&child.listeners);
	child.listener = listener_new(core, child.test.pool, "www");
	ck_assert_ptr_nonnull(child.listener);
	TAILQ_INSERT_TAIL(&child.listeners, child.listener, entry);
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		child.records[i] =
		    record_sample_inet(RECORD_TCP, "127.0.0.1", 80);
		if (i == 2)
			child.records[i].handoff = RECORD_LISTENER;
		child.sockets[i] = net_listen(AF_INET);
		ck_assert_int_eq(
		    listener_add(child.listener, &child.records[i], i,
			fcntl(child.sockets[i], F_DUPFD_CLOEXEC, 0)),
		    0);
	}
	ck_assert_int_eq(drain_init(&child.drain, core, &child.listeners,
			     &child.test.pools, &child.control, &child.status),
	    0);
}

static void
done(void)
{
	drain_done(&child.drain);
	listener_free(child.listener);
	test_pool_done(&child.test);
	for (int i = 0; i < ENDPOINTS; i++)
		close(child.sockets[i]);
}

/* Begins to drain; the bits are of the endpoints that nobody takes over. */
static void
drain(unsigned char removed, uint32_t timeout_ms)
{
	struct channel_drain how = {.timeout_ms = timeout_ms};

	how.removed[0] = removed;
	drain_start(&child.drain, &how);
}

static void
await_end(void)
{
	while (child.status == -1)
		ck_assert_int_eq(
		    event_base_loop(child.test.core.base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(child.status, EX_OK);
}

/* The engine has closed its own. */
static int
is_closed(uint32_t number)
{
	struct listener_endpoint *endpoint;

	TAILQ_FOREACH (endpoint, &child.listener->endpoints, entry)
		if (endpoint->number == number)
			return endpoint->fd == -1 && endpoint->readable == NULL;
	ck_abort_msg("no endpoint %u", number);
	return 0;
}

START_TEST(who_has_nothing_in_hand_ends_at_once)
{
	init(1);
	listener_start(child.listener);
	drain(_i == 0 ? 0 : 7, LONG_MS);
	ck_assert_int_eq(child.status, EX_OK);
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		ck_assert(is_closed(i));
	done();
}
END_TEST

START_TEST(what_waits_is_served_only_where_nobody_takes_over)
{
	static struct wire_raw raw;
	int clients[2], lent;

	init(1);
	for (int i = 0; i < 2; i++)
		clients[i] = net_connect(child.sockets[i]);
	listener_start(child.listener);
	drain(2 | 4, LONG_MS);
	ck_assert_int_eq(child.status, -1);
	ck_assert(is_closed(0) && !is_closed(1));
	ck_assert(is_closed(2)); /* lent: its workers have it */
	do {                     /* the lent one may have come first */
		test_pool_await(&child.test, child.test.mailboxes[0], POLLIN);
		wire_raw_take(&raw, child.test.mailboxes[0]);
		ck_assert_uint_eq(raw.count, 1);
		lent = net_is_same(raw.fds[0], child.sockets[2]);
		wire_raw_close(&raw);
	} while (lent);
	ck_assert_int_eq(child.status, -1); /* no receipt yet */
	wire_raw_send_receipt(child.test.receipt_conns[0],
	    child.test.core.epoch, FDRECV_WIRE_TAKEN, raw.header.sequence, 1);
	await_end();
	ck_assert(is_closed(1));
	ck_assert(net_polls(child.sockets[0], POLLIN)); /* for the next one */
	ck_assert(!net_polls(child.sockets[1], POLLIN));
	close(clients[0]);
	close(clients[1]);
	done();
}
END_TEST

START_TEST(at_the_last_moment_what_waits_is_left)
{
	int client;

	init(0);
	client = net_connect(child.sockets[1]);
	listener_start(child.listener);
	drain(2, 50);
	ck_assert_int_eq(child.status, -1);
	await_end();
	ck_assert(is_closed(1));
	ck_assert(net_polls(child.sockets[1], POLLIN));
	close(client);
	done();
}
END_TEST

/* It was accepted, but its worker died, and there is no other. */
START_TEST(at_the_last_moment_what_is_held_is_refused)
{
	int client;

	init(1);
	listener_start(child.listener);
	client = net_connect(child.sockets[0]);
	while (child.listener->stats->accepted == 0)
		ck_assert_int_eq(
		    event_base_loop(child.test.core.base, EVLOOP_ONCE), 0);
	test_pool_settle(&child.test);
	test_pool_close(&child.test, 0);
	test_pool_settle(&child.test);
	drain(0, 50);
	ck_assert_int_eq(child.status, -1);
	ck_assert_uint_eq(child.listener->stats->refused_drain, 0);
	await_end();
	ck_assert_uint_eq(child.listener->stats->refused_drain, 1);
	ck_assert(net_polls(client, POLLIN)); /* its end */
	close(client);
	done();
}
END_TEST

START_TEST(who_drains_already_is_not_told_again)
{
	uint64_t until_ms;
	int client;

	init(0);
	client = net_connect(child.sockets[1]);
	listener_start(child.listener);
	drain(2, 100);
	until_ms = child.drain.until_ms;
	drain(0, LONG_MS);
	ck_assert_uint_eq(child.drain.until_ms, until_ms);
	ck_assert(!is_closed(1));
	await_end();
	close(client);
	done();
}
END_TEST

UNIT_SUITE(drain)
{
	TCase *tc = unit_case(suite, "drain");

	tcase_add_loop_test(tc, who_has_nothing_in_hand_ends_at_once, 0, 2);
	tcase_add_test(tc, what_waits_is_served_only_where_nobody_takes_over);
	tcase_add_test(tc, at_the_last_moment_what_waits_is_left);
	tcase_add_test(tc, at_the_last_moment_what_is_held_is_refused);
	tcase_add_test(tc, who_drains_already_is_not_told_again);
}
