/* SPDX-License-Identifier: ISC */
/*
 * An engine without a monitor: to which monitor it gives its sockets, and when
 * it has waited long enough.
 */
#include "fixture/net.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "engine/life/adoption_server.h"
#include "engine/life/orphan.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define STRANGER 60599
#define NUMBER 3 /* of the socket that was requested */
#define LONG_S 300

static struct setup {
	struct event_base *base;
	struct log log;
	struct drain drain;
	struct orphan orphan;
	struct ledger ledger;
	int ended;
	int removed; /* the argument of the drain; -1: none yet */
	int asked;   /* a socket of the table */
	int ends[2]; /* a connection of a monitor: its end, and the engine's */
} setup;

static void
on_end(void *owner)
{
	(void)owner;
	setup.ended = 1;
}

static void
on_start(void *owner, const struct channel_drain *how)
{
	(void)owner;
	setup.removed = how->removed[NUMBER / 8];
	ck_assert_int_eq(how->removed[sizeof(how->removed) - 1], setup.removed);
	ck_assert_uint_eq(how->stop, 0);
	ck_assert_uint_eq(how->timeout_ms, 10000);
}

static int
is_busy(void *owner)
{
	(void)owner;
	return 0;
}

static const struct drain_callbacks callbacks = {
    .on_start = on_start,
    .is_busy = is_busy,
    .on_end = on_end,
};

static void
init(uint32_t timeout_s)
{
	setup.removed = -1;
	setup.base = event_base_new();
	log_init(&setup.log, "engine", STDERR_FILENO);
	ck_assert_int_eq(
	    drain_init(&setup.drain, setup.base, &callbacks, NULL), 0);
	ck_assert_int_eq(
	    orphan_init(&setup.orphan, setup.base, &setup.log, &setup.drain),
	    0);
	setup.orphan.timeout_s = timeout_s;
	setup.asked = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(ledger_open(&setup.ledger), 0);
	for (int i = 0; i <= NUMBER; i++)
		ledger_pass(&setup.ledger, setup.asked);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, setup.ends),
	    0);
}

static void
done(void)
{
	orphan_done(&setup.orphan);
	drain_done(&setup.drain);
	event_base_free(setup.base);
	ledger_close(&setup.ledger);
	close(setup.asked);
	close(setup.ends[0]);
	close(setup.ends[1]);
}

static int
ask(uint32_t number, uid_t uid)
{
	const struct channel_adopt adopt = {CHANNEL_ADOPT_MAGIC, number};

	return orphan_on_adopt(
	    &setup.orphan, &adopt, uid, setup.ends[1], &setup.ledger);
}

/* Reads an answer.  Gives its descriptor, or -1. */
static int
answered(void)
{
	char byte[2];
	size_t count = 1;
	int fd = -1;

	ck_assert_int_eq(
	    net_receive(setup.ends[0], byte, sizeof(byte), &fd, &count), 1);
	return fd;
}

START_TEST(root_and_its_own_user_get_the_sockets)
{
	uid_t uid = _i == 0 ? 0 : geteuid();
	int fd;

	init(LONG_S);
	orphan_start(&setup.orphan, &setup.ledger);
	ck_assert_int_eq(ask(NUMBER, uid), 0);
	fd = answered();
	ck_assert(net_is_same(fd, setup.asked));
	close(fd);
	/* There is no more, which the monitor is told. */
	ck_assert_int_eq(ask(NUMBER + 3, uid), 0);
	ck_assert_int_eq(answered(), -1);
	ck_assert_int_eq(ask(UINT32_MAX - 1, uid), 0);
	ck_assert_int_eq(answered(), -1);
	ck_assert_int_eq(setup.removed, -1);
	done();
}
END_TEST

static void
allow_in_child(void *argument)
{
	struct ledger ledger = {.is_roots = 0};

	(void)argument;
	if (geteuid() == 0)
		unit_must(setresuid(60592, 60592, 60592) == 0);
	unit_must(adoption_server_allows(&ledger, geteuid()));
	ledger.is_roots = 1;
	unit_must(!adoption_server_allows(&ledger, geteuid()));
	unit_must(adoption_server_allows(&ledger, 0));
}

START_TEST(engines_of_other_brokers_of_root_get_nothing)
{
	unit_in_child(allow_in_child, NULL);
}
END_TEST

START_TEST(nobody_else_is_given_or_told_anything)
{
	static const uint32_t numbers[] = {0, NUMBER, CHANNEL_ADOPTED};

	init(LONG_S);
	orphan_start(&setup.orphan, &setup.ledger);
	for (size_t i = 0; i < UNIT_COUNT(numbers); i++)
		ck_assert_int_eq(ask(numbers[i], STRANGER), -1);
	ck_assert(!net_polls(setup.ends[0], POLLIN));
	ck_assert_int_eq(setup.removed, -1);
	done();
}
END_TEST

START_TEST(an_engine_that_has_a_monitor_is_no_orphan)
{
	init(LONG_S);
	ck_assert_int_eq(ask(NUMBER, 0), -1);
	ck_assert_int_eq(ask(CHANNEL_ADOPTED, 0), -1);
	ck_assert(!net_polls(setup.ends[0], POLLIN));
	ck_assert_int_eq(setup.removed, -1);
	done();
}
END_TEST

START_TEST(an_orphan_that_was_replaced_drains_and_gives_no_more)
{
	init(LONG_S);
	orphan_start(&setup.orphan, &setup.ledger);
	ck_assert_int_eq(ask(CHANNEL_ADOPTED, 0), 0);
	ck_assert_int_eq(setup.removed, 0); /* another engine has them */
	ck_assert(setup.ended);
	ck_assert(!timer_is_set(&setup.orphan.limit));
	ck_assert_int_eq(ask(NUMBER, 0), -1);
	ck_assert(!net_polls(setup.ends[0], POLLIN));
	done();
}
END_TEST

START_TEST(a_monitor_that_does_not_read_is_given_up)
{
	int got = 0;

	init(LONG_S);
	ck_assert_int_eq(fcntl(setup.ends[1], F_SETFL, O_NONBLOCK), 0);
	orphan_start(&setup.orphan, &setup.ledger);
	for (int i = 0; got == 0; i++) {
		ck_assert_int_lt(i, 100000);
		got = ask(NUMBER, 0);
	}
	ck_assert_int_eq(setup.removed, -1);
	done();
}
END_TEST

START_TEST(without_a_time_to_wait_it_drains_at_once)
{
	init(0);
	orphan_start(&setup.orphan, &setup.ledger);
	ck_assert_int_eq(setup.removed, 0);
	ck_assert(setup.ended);
	ck_assert_int_eq(ask(NUMBER, 0), -1);
	done();
}
END_TEST

/* Then connections in the queue of any socket are served first. */
START_TEST(when_nobody_comes_in_time_it_drains)
{
	uint64_t before_ms = clock_ms(), until_ms;

	init(1);
	until_ms = orphan_start(&setup.orphan, &setup.ledger);
	ck_assert_uint_ge(until_ms, before_ms + 1000);
	ck_assert_uint_le(until_ms, clock_ms() + 1000);
	ck_assert_uint_eq(setup.ledger.page->orphan_until_ms, until_ms);
	ck_assert_int_eq(setup.removed, -1);
	while (!setup.ended)
		ck_assert_int_eq(event_base_loop(setup.base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(setup.removed, 0xff);
	done();
}
END_TEST

/* Over a connection to the rendezvous. */

static unsigned int asked;
static int answer;

static int
on_adopt(void *owner, const struct channel_adopt *adopt, uid_t uid, int fd)
{
	(void)owner;
	(void)fd;
	asked++;
	ck_assert_uint_eq(adopt->number, 7);
	ck_assert_uint_eq(uid, geteuid());
	return answer;
}

static const struct rendezvous_callbacks adopt_callbacks = {
    .on_adopt = on_adopt};

START_TEST(a_monitor_that_asks_may_take_its_time)
{
	const struct channel_adopt adopt = {CHANNEL_ADOPT_MAGIC, 7};
	struct test_pool test;
	struct receipt_conn *conn;
	int fd;

	test_pool_init(&test, 1);
	test.rendezvous.callbacks = &adopt_callbacks;
	fd = test_pool_connect();
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    send(fd, &adopt, sizeof(adopt), 0), (ssize_t)sizeof(adopt));
		test_pool_settle(&test);
		ck_assert_uint_eq(asked, i + 1);
		conn = TAILQ_FIRST(&test.rendezvous.waiting.head);
		ck_assert_ptr_nonnull(conn);
		ck_assert(!timer_is_set(&conn->deadline));
	}
	answer = -1;
	ck_assert_int_eq(
	    send(fd, &adopt, sizeof(adopt), 0), (ssize_t)sizeof(adopt));
	test_pool_settle(&test);
	ck_assert_ptr_null(TAILQ_FIRST(&test.rendezvous.waiting.head));
	ck_assert(net_polls(fd, POLLHUP));
	close(fd);
	test_pool_done(&test);
}
END_TEST

/* Requests of another size, with other words, or from a worker that has sent
 * HELLO. */
START_TEST(other_messages_ask_for_nothing)
{
	struct {
		struct channel_adopt adopt;
		char more;
	} said = {{CHANNEL_ADOPT_MAGIC, 7}, 0};
	size_t size = sizeof(said.adopt) + (_i == 0) - (_i == 1);
	struct test_pool test;
	int fd;

	if (_i == 3)
		test_pool_init_receipted(&test, 1);
	else
		test_pool_init(&test, 1);
	test.rendezvous.callbacks = &adopt_callbacks;
	if (_i == 2)
		said.adopt.magic[3]++;
	fd = _i == 3 ? test.receipt_conns[0] : test_pool_connect();
	ck_assert_int_eq(send(fd, &said, size, 0), (ssize_t)size);
	test_pool_settle(&test);
	ck_assert_uint_eq(asked, 0);
	if (_i != 3) {
		ck_assert(net_polls(fd, POLLHUP));
		close(fd);
	}
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(orphan)
{
	TCase *tc = unit_case(suite, "orphan");

	tcase_add_loop_test(tc, root_and_its_own_user_get_the_sockets, 0, 2);
	tcase_add_test(tc, engines_of_other_brokers_of_root_get_nothing);
	tcase_add_test(tc, nobody_else_is_given_or_told_anything);
	tcase_add_test(tc, an_engine_that_has_a_monitor_is_no_orphan);
	tcase_add_test(
	    tc, an_orphan_that_was_replaced_drains_and_gives_no_more);
	tcase_add_test(tc, a_monitor_that_does_not_read_is_given_up);
	tcase_add_test(tc, without_a_time_to_wait_it_drains_at_once);
	tcase_add_test(tc, when_nobody_comes_in_time_it_drains);
	tc = unit_case(suite, "adopt");
	tcase_add_test(tc, a_monitor_that_asks_may_take_its_time);
	tcase_add_loop_test(tc, other_messages_ask_for_nothing, 0, 4);
}
