/* SPDX-License-Identifier: ISC */
/*
 * Lending bound sockets: no connection waits for their worker, which is still
 * found when its mailbox appears.
 */
#include "fixture/test_core.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/record_sample.h"

#include "base/fd.h"
#include "engine/pool/dispatch.h"
#include "engine/worker/rendezvous.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <unistd.h>

struct lending {
	struct test_core core;
	struct rendezvous rendezvous;
	struct watch watch;
	struct pool_list pools;
	struct pool *pool;
	struct stats_listener stats;
	struct record_endpoint endpoint;
	int udp;
};

static void
lending_init(struct lending *lending, const char *path)
{
	struct handoff *handoff;

	*lending = (struct lending){.watch.fd = -1};
	TAILQ_INIT(&lending->pools);
	test_core_init(&lending->core);
	rendezvous_init(
	    &lending->rendezvous, &lending->core.workers, NULL, NULL);
	lending->core.pools.rendezvous = &lending->rendezvous;
	lending->core.pools.watch = &lending->watch;
	watch_open(&lending->watch, lending->core.base, &lending->core.log);
	lending->pool =
	    pool_find(&lending->pools, &lending->core.pools, path, geteuid());
	ck_assert_ptr_nonnull(lending->pool);
	lending->endpoint =
	    record_sample_inet(RECORD_UDP, "127.0.0.1", 53).u.endpoint;
	lending->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(lending->udp, -1);
	handoff =
	    handoff_new_lent(&lending->endpoint, &lending->stats, lending->udp);
	ck_assert_ptr_nonnull(handoff);
	dispatch_add_lent(lending->pool, handoff);
}

static void
lending_done(struct lending *lending)
{
	pool_free(lending->pool);
	watch_close(&lending->watch);
	test_core_done(&lending->core);
	close(lending->udp);
}

/* Runs the loop until the socket is lent; Check ends a test that takes for
 * ever. */
static void
await_lent(struct lending *lending, int mailbox)
{
	int fd;

	while (!net_polls(mailbox, POLLIN))
		ck_assert_int_eq(
		    event_base_loop(lending->core.base, EVLOOP_ONCE), 0);
	fd = net_take(mailbox);
	ck_assert_int_ne(fd, -1);
	ck_assert(net_is_same(fd, lending->udp));
	close(fd);
}

START_TEST(the_directory_may_come_later)
{
	struct lending lending;
	int mailbox;

	lending_init(&lending, unit_path("run/box"));
	finder_scan(&lending.pool->finder);
	unit_directory("run", 0755);
	mailbox = net_bind(unit_path("run/box"), SOCK_DGRAM);
	await_lent(&lending, mailbox);
	lending_done(&lending);
	close(mailbox);
}
END_TEST

START_TEST(a_connection_that_waits_no_more_does_not_end_the_search)
{
	struct pool_user user = {0};
	struct lending lending;
	int mailbox;

	lending_init(&lending, unit_path("run/box"));
	pool_add_user(lending.pool, &user);
	finder_scan(&lending.pool->finder);
	pool_set_waiting(lending.pool, &user, 1, 1);
	pool_set_waiting(lending.pool, &user, 1, 0);
	unit_directory("run", 0755);
	mailbox = net_bind(unit_path("run/box"), SOCK_DGRAM);
	pool_remove_user(lending.pool, &user);
	await_lent(&lending, mailbox);
	lending_done(&lending);
	close(mailbox);
}
END_TEST

START_TEST(the_directory_may_come_anew)
{
	struct lending lending;
	int mailbox;

	unit_directory("run", 0755);
	lending_init(&lending, unit_path("run/box"));
	finder_scan(&lending.pool->finder);
	for (int i = 0; i < 2; i++) {
		mailbox = net_bind(unit_path("run/box"), SOCK_DGRAM);
		await_lent(&lending, mailbox);
		close(mailbox);
		ck_assert_int_eq(unlink(unit_path("run/box")), 0);
		ck_assert_int_eq(rmdir(unit_path("run")), 0);
		while (lending.pool->finder.watcher.id != -1)
			ck_assert_int_eq(
			    event_base_loop(lending.core.base, EVLOOP_ONCE), 0);
		unit_directory("run", 0755);
	}
	lending_done(&lending);
}
END_TEST

/* Its process may have exited with the sockets that it was lent. */
START_TEST(a_mailbox_that_is_revived_is_lent_all_again)
{
	struct fdrecv_wire_hello hello;
	struct record_endpoint udp =
	    record_sample_inet(RECORD_UDP, "127.0.0.1", 53).u.endpoint;
	static struct wire_raw raw;
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	dispatch_add_lent(
	    test.pool, handoff_new_lent(&udp, &test.stats, test.listener));
	hello = wire_raw_hello(test_pool_path(0), 4711);
	for (uint64_t i = 1; i <= 2; i++) {
		dispatch_lend(test.pool, test_pool_worker(&test, 0));
		dispatch_lend(test.pool, test_pool_worker(&test, 0));
		ck_assert_uint_eq(test.stats.lent, i);
		wire_raw_take(&raw, test.mailboxes[0]);
		ck_assert_uint_eq(raw.count, 1);
		ck_assert(net_is_same(raw.fds[0], test.listener));
		wire_raw_close(&raw);
		test.receipt_conns[0] = fd_close(test.receipt_conns[0]);
		test_pool_settle(&test);
		test.receipt_conns[0] = test_pool_connect();
		wire_raw_send_hello(
		    test.receipt_conns[0], &hello, test_pool_path(0));
		test_pool_settle(&test);
	}
	test_pool_done(&test);
}
END_TEST

START_TEST(one_that_drains_or_has_left_is_lent_nothing)
{
	struct record_endpoint udp =
	    record_sample_inet(RECORD_UDP, "127.0.0.1", 53).u.endpoint;
	struct worker *worker;
	struct test_pool test;

	test_pool_init_receipted(&test, 1);
	worker = test_pool_worker(&test, 0);
	dispatch_add_lent(
	    test.pool, handoff_new_lent(&udp, &test.stats, test.listener));
	worker->draining = _i == 0;
	worker->has_left = _i == 1;
	worker->callbacks->on_room(worker->owner, worker);
	ck_assert_uint_eq(test.stats.lent, 0);
	worker->draining = worker->has_left = 0;
	worker->callbacks->on_room(worker->owner, worker);
	ck_assert_uint_eq(test.stats.lent, 1);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(pool_lent)
{
	TCase *tc = unit_case(suite, "lent");

	tcase_add_test(tc, the_directory_may_come_later);
	tcase_add_test(
	    tc, a_connection_that_waits_no_more_does_not_end_the_search);
	tcase_add_test(tc, the_directory_may_come_anew);
	tcase_add_test(tc, a_mailbox_that_is_revived_is_lent_all_again);
	tcase_add_loop_test(
	    tc, one_that_drains_or_has_left_is_lent_nothing, 0, 2);
}
