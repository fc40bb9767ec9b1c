/* SPDX-License-Identifier: ISC */
/*
 * The workers of a pool come and go: none is forgotten as long as something
 * is to be heard of it, and a mailbox that nobody reads is not used again.
 */
#include "fixture/crew.h"
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/sample.h"

#include "base/fd.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Sends count to worker 0, alone, which has received them. */
static void
send_to_first(struct crew *crew, size_t count)
{
	static struct letter letter;

	ck_assert_uint_eq(crew_put(crew, count), count);
	route_send(crew->pool);
	letter_take(&letter, crew->mailboxes[0]);
	ck_assert_uint_eq(letter.count, count);
	letter_close(&letter);
}

static void
take_name(struct crew *crew, unsigned int which)
{
	ck_assert_int_eq(unlink(crew_path(which)), 0);
	crew_settle(crew);
}

START_TEST(a_path_has_one_pool)
{
	struct crew crew;

	crew_init(&crew, 0);
	ck_assert_ptr_eq(pool_find(&crew.pools, &crew.core, &crew.watch,
			     unit_path("pool/"), geteuid()),
	    crew.pool);
	crew_done(&crew);
}
END_TEST

START_TEST(a_plain_worker_is_gone_with_its_name)
{
	unsigned int changes;
	struct crew crew;

	crew_init(&crew, 1);
	crew_worker(&crew, 0)->kind = WORKER_PLAIN;
	ck_assert(pool_has_worker(crew.pool));
	changes = crew.changes;
	take_name(&crew, 0);
	ck_assert(TAILQ_EMPTY(&crew.pool->workers));
	ck_assert(TAILQ_EMPTY(&crew.pool->leaving));
	ck_assert(!pool_has_worker(crew.pool));
	ck_assert_uint_eq(crew.changes, changes + 1);
	crew_done(&crew);
}
END_TEST

START_TEST(a_worker_that_leaves_is_kept_until_all_is_confirmed)
{
	struct worker *worker;
	struct crew crew;

	crew_init_receipted(&crew, 1);
	send_to_first(&crew, 2);
	worker = crew_worker(&crew, 0);
	take_name(&crew, 0);
	ck_assert_ptr_eq(TAILQ_FIRST(&crew.pool->leaving), worker);
	ck_assert(TAILQ_EMPTY(&crew.pool->workers));
	ck_assert(!pool_has_worker(crew.pool));
	ck_assert(pool_is_busy(crew.pool));
	letter_receipt(crew.links[0], crew.core.epoch, FDRECV_WIRE_TAKEN, 0, 2);
	crew_settle(&crew);
	ck_assert_uint_eq(crew.stats.taken, 2);
	ck_assert(!pool_is_busy(crew.pool));
	crew_close(&crew, 0);
	crew_settle(&crew);
	ck_assert(TAILQ_EMPTY(&crew.pool->leaving));
	crew_done(&crew);
}
END_TEST

START_TEST(what_a_leaving_worker_does_not_confirm_goes_to_others)
{
	struct crew crew;

	crew_init_receipted(&crew, 1);
	send_to_first(&crew, 2);
	take_name(&crew, 0);
	crew_open(&crew, 1);
	crew_settle(&crew);
	crew_hello(&crew, 1, FDRECV_WIRE_WEIGHT);
	crew_close(&crew, 0);
	crew_settle(&crew);
	ck_assert(TAILQ_EMPTY(&crew.pool->leaving));
	crew_expect(&crew, 1, "01");
	crew_done(&crew);
}
END_TEST

/* A HELLO may come when the name is gone already. */
START_TEST(a_leaving_worker_may_say_hello)
{
	struct fdrecv_wire_hello hello;
	struct crew crew;

	crew_init(&crew, 1);
	hello = letter_hello(crew_path(0), 1);
	ck_assert_uint_eq(crew_put(&crew, 1), 1);
	crew_expect(&crew, 0, "0");
	take_name(&crew, 0);
	ck_assert_int_eq(TAILQ_FIRST(&crew.pool->leaving)->kind, WORKER_NEW);
	crew.links[0] = crew_reach();
	letter_greet(crew.links[0], &hello, crew_path(0));
	letter_receipt(crew.links[0], crew.core.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	crew_settle(&crew);
	ck_assert_uint_eq(crew.stats.taken, 1);
	ck_assert_int_eq(
	    TAILQ_FIRST(&crew.pool->leaving)->kind, WORKER_RECEIPTED);
	crew_done(&crew);
}
END_TEST

START_TEST(a_new_inode_is_a_new_worker)
{
	struct worker *before;
	struct crew crew;
	int old;

	crew_init_receipted(&crew, 1);
	send_to_first(&crew, 1);
	before = crew_worker(&crew, 0);
	old = crew.mailboxes[0];
	ck_assert_int_eq(unlink(crew_path(0)), 0);
	crew_open(&crew, 0);
	crew_settle(&crew);
	ck_assert_ptr_eq(TAILQ_FIRST(&crew.pool->leaving), before);
	ck_assert_ptr_nonnull(crew_worker(&crew, 0));
	ck_assert_int_eq(crew_worker(&crew, 0)->kind, WORKER_NEW);
	ck_assert_uint_eq(crew_put(&crew, 1), 1);
	crew_expect(&crew, 0, "1");
	ck_assert(!net_polls(old, POLLIN));
	crew_done(&crew);
	close(old);
}
END_TEST

START_TEST(a_mailbox_that_nobody_reads_is_not_found_again)
{
	struct crew crew;

	crew_init_receipted(&crew, 1);
	crew.links[0] = fd_close(crew.links[0]); /* its mailbox stays */
	crew_settle(&crew);
	for (int i = 0; i < 2; i++) {
		ck_assert(!pool_has_worker(crew.pool));
		ck_assert_uint_eq(crew_put(&crew, 1), 0);
		finder_scan(&crew.pool->finder);
		crew_settle(&crew);
	}
	take_name(&crew, 0);
	ck_assert(TAILQ_EMPTY(&crew.pool->workers));
	ck_assert(TAILQ_EMPTY(&crew.pool->leaving));
	crew_open(&crew, 1);
	crew_settle(&crew);
	ck_assert(pool_has_worker(crew.pool));
	crew_done(&crew);
}
END_TEST

START_TEST(a_hello_revives_a_mailbox)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct crew crew;

	crew_init_receipted(&crew, 1);
	worker = crew_worker(&crew, 0);
	send_to_first(&crew, 2);
	worker->survived = 1; /* of a process that has ended by now */
	crew.links[0] = fd_close(crew.links[0]);
	crew_settle(&crew);
	ck_assert(worker->left);
	crew_holds(&crew, "1");
	hello = letter_hello(crew_path(0), 4711);
	crew.links[0] = crew_reach();
	letter_greet(crew.links[0], &hello, crew_path(0));
	crew_settle(&crew);
	ck_assert(!worker->left);
	ck_assert(!worker->shared);
	ck_assert_uint_eq(worker->instance, 4711);
	crew_expect(&crew, 0, "1");
	crew_close(&crew, 0); /* no child of it is known */
	crew_settle(&crew);
	crew_holds(&crew, "1");
	crew_done(&crew);
}
END_TEST

/* Its process may have died with what it had been lent. */
START_TEST(a_mailbox_that_is_revived_is_lent_all_again)
{
	struct fdrecv_wire_hello hello;
	struct record_endpoint udp = sample_inet(RECORD_UDP, "127.0.0.1", 53);
	static struct letter letter;
	struct crew crew;

	crew_init_receipted(&crew, 1);
	pool_add_lent(
	    crew.pool, handoff_new_lent(&udp, &crew.stats, crew.listener));
	hello = letter_hello(crew_path(0), 4711);
	for (uint64_t i = 1; i <= 2; i++) {
		route_lend(crew.pool, crew_worker(&crew, 0));
		route_lend(crew.pool, crew_worker(&crew, 0));
		ck_assert_uint_eq(crew.stats.lent, i);
		letter_take(&letter, crew.mailboxes[0]);
		ck_assert_uint_eq(letter.count, 1);
		ck_assert(net_is_same(letter.fds[0], crew.listener));
		letter_close(&letter);
		crew.links[0] = fd_close(crew.links[0]);
		crew_settle(&crew);
		crew.links[0] = crew_reach();
		letter_greet(crew.links[0], &hello, crew_path(0));
		crew_settle(&crew);
	}
	crew_done(&crew);
}
END_TEST

START_TEST(what_is_held_is_found_by_its_listener)
{
	struct stats_listener other = {.held = 1};
	struct handoff *handoff;
	struct crew crew;

	crew_init_receipted(&crew, 1);
	ck_assert_uint_eq(crew_put(&crew, 3), 3);
	route_take_back(crew.pool, crew_worker(&crew, 0));
	crew_holds(&crew, "012");
	TAILQ_FIRST(&crew.pool->held)->stats = &other;
	handoff = pool_take_held(crew.pool, &crew.stats);
	ck_assert_ptr_nonnull(handoff);
	ck_assert_uint_eq(crew.stats.held, 2);
	handoff_free(handoff);
	ck_assert(crew_is_closed(&crew, 1));
	handoff_free(pool_take_held(crew.pool, &crew.stats));
	ck_assert_ptr_null(pool_take_held(crew.pool, &crew.stats));
	ck_assert_uint_eq(other.held, 1);
	ck_assert(pool_is_busy(crew.pool));
	crew_done(&crew);
}
END_TEST

START_TEST(a_worker_that_comes_late_has_no_lead)
{
	struct crew crew;

	crew_init_receipted(&crew, 2);
	ck_assert_uint_eq(crew_put(&crew, 8), 8);
	crew_open(&crew, 2);
	crew_settle(&crew);
	ck_assert_uint_gt(crew_worker(&crew, 0)->share.pass, 0);
	ck_assert_uint_eq(crew_worker(&crew, 2)->share.pass,
	    crew_worker(&crew, 0)->share.pass);
	crew_done(&crew);
}
END_TEST

UNIT_SUITE(pool)
{
	TCase *tc = unit_case(suite, "pool");

	tcase_add_test(tc, a_path_has_one_pool);
	tcase_add_test(tc, a_plain_worker_is_gone_with_its_name);
	tcase_add_test(tc, a_worker_that_leaves_is_kept_until_all_is_confirmed);
	tcase_add_test(
	    tc, what_a_leaving_worker_does_not_confirm_goes_to_others);
	tcase_add_test(tc, a_leaving_worker_may_say_hello);
	tcase_add_test(tc, a_new_inode_is_a_new_worker);
	tcase_add_test(tc, a_mailbox_that_nobody_reads_is_not_found_again);
	tcase_add_test(tc, a_hello_revives_a_mailbox);
	tcase_add_test(tc, a_mailbox_that_is_revived_is_lent_all_again);
	tcase_add_test(tc, what_is_held_is_found_by_its_listener);
	tcase_add_test(tc, a_worker_that_comes_late_has_no_lead);
}
