/* SPDX-License-Identifier: ISC */
/*
 * An engine without a monitor: to whom it gives its sockets, and when it has
 * waited long enough.
 */
#include "fixture/net.h"
#include "fixture/test_core.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/channel.h"
#include "engine/control/control.h"
#include "engine/life/orphan.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define FDS 3
#define STRANGER 60599

static struct test_child {
	struct core core;
	struct listener_list listeners;
	struct pool_list pools;
	struct control control; /* there is none */
	struct drain drain;
	struct orphan orphan;
	int status;
	int fds[FDS];
	int ends[2]; /* a monitor's connection: its own, and the engine's */
} child;

static void
init(uint32_t timeout_s)
{
	child = (struct test_child){.status = -1};
	test_core_init(&child.core);
	test_core_limit(&child.core);
	TAILQ_INIT(&child.listeners);
	TAILQ_INIT(&child.pools);
	ck_assert_int_eq(drain_init(&child.drain, &child.core, &child.listeners,
			     &child.pools, &child.control, &child.status),
	    0);
	for (int i = 0; i < FDS; i++) {
		child.fds[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(orphan_add(&child.orphan, child.fds[i]), 0);
	}
	child.orphan.timeout_s = timeout_s;
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, child.ends),
	    0);
}

static void
done(void)
{
	orphan_done(&child.orphan);
	drain_done(&child.drain);
	test_core_done(&child.core);
	for (int i = 0; i < FDS; i++)
		close(child.fds[i]);
	close(child.ends[0]);
	close(child.ends[1]);
}

static int
ask(uint32_t number, uid_t uid)
{
	const struct channel_adopt adopt = {CHANNEL_ADOPT_MAGIC, number};

	return orphan_on_adopt(&child.orphan, &adopt, uid, child.ends[1]);
}

/* Gives what was answered: a byte and a descriptor, or -1. */
static int
answered(void)
{
	char byte[2];
	size_t count = 1;
	int fd = -1;

	unit_must(
	    net_receive(child.ends[0], byte, sizeof(byte), &fd, &count) == 1);
	return fd;
}

static void
table_body(void *argument)
{
	uid_t uid = *(uid_t *)argument;
	int memory = memfd_create("counters", MFD_CLOEXEC), fd;

	init(300);
	if (memory != CHANNEL_MEMFD)
		unit_must(fd_place(memory, CHANNEL_MEMFD) == 0);
	orphan_start(&child.orphan, &child.drain);
	for (uint32_t i = 0; i < FDS; i++) {
		unit_must(ask(i, uid) == 0);
		fd = answered();
		unit_must(fd != -1 && net_is_same(fd, child.fds[i]));
	}
	unit_must(ask(FDS, uid) == 0);
	fd = answered();
	unit_must(fd != -1 && net_is_same(fd, CHANNEL_MEMFD));
	/* There is no more; its asker is told so. */
	unit_must(ask(FDS + 1, uid) == 0 && answered() == -1);
	unit_must(ask(UINT32_MAX - 1, uid) == 0 && answered() == -1);
	unit_must(child.status == -1);
}

START_TEST(root_and_its_own_user_get_the_whole_table_and_the_counters)
{
	uid_t uids[] = {0, geteuid()};

	unit_in_child(table_body, &uids[_i]);
}
END_TEST

START_TEST(nobody_else_is_given_or_told_anything)
{
	static const uint32_t numbers[] = {0, FDS, CHANNEL_ADOPTED};

	init(300);
	orphan_start(&child.orphan, &child.drain);
	for (size_t i = 0; i < UNIT_COUNT(numbers); i++)
		ck_assert_int_eq(ask(numbers[i], STRANGER), -1);
	ck_assert(!net_polls(child.ends[0], POLLIN));
	ck_assert_int_eq(child.status, -1);
	done();
}
END_TEST

START_TEST(an_engine_that_has_a_monitor_is_no_orphan)
{
	init(300);
	ck_assert_int_eq(ask(0, 0), -1);
	ck_assert_int_eq(ask(CHANNEL_ADOPTED, 0), -1);
	ck_assert(!net_polls(child.ends[0], POLLIN));
	ck_assert_int_eq(child.status, -1);
	done();
}
END_TEST

START_TEST(an_orphan_that_was_replaced_drains_and_gives_no_more)
{
	init(300);
	orphan_start(&child.orphan, &child.drain);
	ck_assert_int_eq(ask(CHANNEL_ADOPTED, 0), 0);
	ck_assert_uint_ne(child.drain.until_ms, 0);
	ck_assert(!evtimer_pending(child.orphan.late, NULL));
	ck_assert_int_eq(child.status, EX_OK); /* it had nothing to do */
	ck_assert_int_eq(ask(0, 0), -1);
	ck_assert(!net_polls(child.ends[0], POLLIN));
	done();
}
END_TEST

START_TEST(an_asker_that_does_not_read_is_given_up)
{
	int got = 0;

	init(300);
	orphan_start(&child.orphan, &child.drain);
	for (int i = 0; got == 0; i++) {
		ck_assert_int_lt(i, 100000);
		got = ask(0, 0);
	}
	ck_assert_int_eq(child.status, -1);
	done();
}
END_TEST

START_TEST(without_a_time_to_wait_it_drains_at_once)
{
	init(0);
	orphan_start(&child.orphan, &child.drain);
	ck_assert_int_eq(child.status, EX_OK);
	ck_assert_int_eq(ask(0, 0), -1);
	done();
}
END_TEST

START_TEST(when_nobody_comes_in_time_it_drains)
{
	init(1);
	orphan_start(&child.orphan, &child.drain);
	ck_assert_int_eq(child.status, -1);
	while (child.status == -1)
		ck_assert_int_eq(
		    event_base_loop(child.core.base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(child.status, EX_OK);
	done();
}
END_TEST

/* On a rendezvous connection. */

static unsigned int asked;
static int answer;

static int
on_adopt(void *argument, const struct channel_adopt *adopt, uid_t uid, int fd)
{
	(void)argument;
	(void)fd;
	asked++;
	ck_assert_uint_eq(adopt->number, 7);
	ck_assert_uint_eq(uid, geteuid());
	return answer;
}

START_TEST(a_monitor_that_asks_may_take_its_time)
{
	const struct channel_adopt adopt = {CHANNEL_ADOPT_MAGIC, 7};
	struct test_pool test;
	struct receipt_conn *link;
	int fd;

	test_pool_init(&test, 1);
	test.rendezvous.user.adopt = on_adopt;
	fd = test_pool_connect();
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    send(fd, &adopt, sizeof(adopt), 0), (ssize_t)sizeof(adopt));
		test_pool_settle(&test);
		ck_assert_uint_eq(asked, i + 1);
		link = TAILQ_FIRST(&test.rendezvous.links);
		ck_assert_ptr_nonnull(link);
		ck_assert(!evtimer_pending(link->late, NULL));
	}
	answer = -1;
	ck_assert_int_eq(
	    send(fd, &adopt, sizeof(adopt), 0), (ssize_t)sizeof(adopt));
	test_pool_settle(&test);
	ck_assert_ptr_null(TAILQ_FIRST(&test.rendezvous.links));
	ck_assert(net_polls(fd, POLLHUP));
	close(fd);
	test_pool_done(&test);
}
END_TEST

/* Of another size, with other words, or from a worker that has said HELLO. */
START_TEST(what_is_no_question_is_not_asked)
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
	test.rendezvous.user.adopt = on_adopt;
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

	tcase_add_loop_test(tc,
	    root_and_its_own_user_get_the_whole_table_and_the_counters, 0, 2);
	tcase_add_test(tc, nobody_else_is_given_or_told_anything);
	tcase_add_test(tc, an_engine_that_has_a_monitor_is_no_orphan);
	tcase_add_test(
	    tc, an_orphan_that_was_replaced_drains_and_gives_no_more);
	tcase_add_test(tc, an_asker_that_does_not_read_is_given_up);
	tcase_add_test(tc, without_a_time_to_wait_it_drains_at_once);
	tcase_add_test(tc, when_nobody_comes_in_time_it_drains);
	tc = unit_case(suite, "link");
	tcase_add_test(tc, a_monitor_that_asks_may_take_its_time);
	tcase_add_loop_test(tc, what_is_no_question_is_not_asked, 0, 4);
}
