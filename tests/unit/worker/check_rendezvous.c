/* SPDX-License-Identifier: ISC */
/*
 * First contact: whose HELLO is believed, and that strangers are few and do
 * not stay.
 */
#include "fixture/crew.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "engine/worker/unreceipted.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define OF_A_USER 8
#define OF_ALL 64
#define OF_A_WORKER 4

/* Says HELLO on a new connection, which it gives. */
static int
greet(struct crew *crew, const struct fdrecv_wire_hello *hello)
{
	int fd = crew_reach();

	letter_greet(fd, hello, crew_path(0));
	crew_settle(crew);
	return fd;
}

START_TEST(a_hello_makes_a_worker_a_receipted_one)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct crew crew;
	int fd;

	crew_init(&crew, 1);
	worker = crew_worker(&crew, 0);
	ck_assert_int_eq(worker->kind, WORKER_NEW);
	hello = letter_hello(crew_path(0), 4711);
	hello.weight = 200;
	hello.flags = FDRECV_WIRE_COUNTED | FDRECV_WIRE_PAUSED;
	hello.connections = 7;
	fd = greet(&crew, &hello);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	ck_assert_uint_eq(worker->instance, 4711);
	ck_assert_uint_eq(worker->share.weight, 200);
	ck_assert(worker->counted);
	ck_assert(worker->paused);
	ck_assert_uint_eq(worker->connections, 7);
	ck_assert_uint_eq(crew.rendezvous.link_count, 0);
	ck_assert_int_eq(stats_find_kind(&crew.core.stats,
			     worker->mailbox.device, worker->mailbox.inode),
	    STATS_RECEIPTED);
	crew_done(&crew);
	close(fd);
}
END_TEST

START_TEST(a_hello_may_come_before_its_worker_is_found)
{
	struct fdrecv_wire_hello hello;
	struct crew crew;
	int fd;

	crew_init(&crew, 0);
	watch_close(&crew.watch); /* found by the scan below only */
	crew_open(&crew, 0);
	hello = letter_hello(crew_path(0), 1);
	fd = greet(&crew, &hello);
	letter_receipt(fd, crew.core.epoch, FDRECV_WIRE_PAUSE, 0, 0);
	crew_settle(&crew);
	ck_assert_uint_eq(crew.rendezvous.link_count, 1);
	finder_scan(&crew.pool->finder);
	ck_assert_int_eq(crew_worker(&crew, 0)->kind, WORKER_RECEIPTED);
	ck_assert_uint_eq(crew.rendezvous.link_count, 0);
	ck_assert(!crew_worker(&crew, 0)->paused);
	crew_settle(&crew); /* and what followed is read */
	ck_assert(crew_worker(&crew, 0)->paused);
	crew_done(&crew);
	close(fd);
}
END_TEST

START_TEST(a_hello_of_another_mailbox_is_nobodys)
{
	struct fdrecv_wire_hello hello;
	struct crew crew;
	int fd;

	crew_init(&crew, 1);
	hello = letter_hello(crew_path(0), 1);
	if (_i == 0)
		hello.inode++;
	else if (_i == 1)
		hello.device++;
	else if (_i == 2)
		crew_worker(&crew, 0)->name[0] = 'b';
	else
		crew_worker(&crew, 0)->mailbox.owner++;
	fd = greet(&crew, &hello);
	ck_assert_int_eq(TAILQ_FIRST(&crew.pool->workers)->kind, WORKER_NEW);
	ck_assert_uint_eq(crew.rendezvous.link_count, 1);
	ck_assert(!net_polls(fd, POLLHUP));
	crew_done(&crew);
	close(fd);
}
END_TEST

START_TEST(two_instances_make_a_worker_plain_for_good)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct crew crew;
	int fds[2];

	crew_init_receipted(&crew, 1);
	worker = crew_worker(&crew, 0);
	ck_assert_uint_eq(crew_put(&crew, 2), 2);
	route_send(crew.pool);
	crew_expect(&crew, 0, "01");
	ck_assert_uint_eq(crew.stats.unreceipted, 2);
	hello = letter_hello(crew_path(0), 4711);
	fds[0] = greet(&crew, &hello);
	ck_assert_int_eq(worker->kind, WORKER_PLAIN);
	ck_assert_uint_eq(crew.stats.unreceipted, 0);
	ck_assert_uint_eq(crew.stats.plain, 2);
	fds[1] = greet(&crew, &hello);
	ck_assert_int_eq(worker->kind, WORKER_PLAIN);
	letter_receipt(fds[1], crew.core.epoch, FDRECV_WIRE_PAUSE, 0, 0);
	close(fds[0]); /* nobody's death */
	crew_settle(&crew);
	ck_assert(!worker->paused);
	ck_assert_ptr_eq(crew_worker(&crew, 0), worker);
	ck_assert(!worker->left);
	crew_done(&crew);
	close(fds[1]);
}
END_TEST

START_TEST(one_instance_may_come_again_and_keeps_a_few_links)
{
	struct fdrecv_wire_hello hello;
	struct crew crew;
	int fds[OF_A_WORKER];

	crew_init_receipted(&crew, 1);
	hello = letter_hello(crew_path(0), 1);
	for (int i = 0; i < OF_A_WORKER; i++) {
		ck_assert(!net_polls(crew.links[0], POLLHUP));
		fds[i] = greet(&crew, &hello);
	}
	ck_assert(net_polls(crew.links[0], POLLHUP));
	ck_assert(!net_polls(fds[0], POLLHUP));
	ck_assert_int_eq(crew_worker(&crew, 0)->kind, WORKER_RECEIPTED);
	ck_assert(!crew_worker(&crew, 0)->left);
	crew_done(&crew);
	for (int i = 0; i < OF_A_WORKER; i++)
		close(fds[i]);
}
END_TEST

START_TEST(who_says_nothing_or_is_not_found_is_dropped_after_a_while)
{
	struct fdrecv_wire_hello hello;
	struct crew crew;
	int silent, unknown;

	crew_init_receipted(&crew, 1);
	hello = letter_hello(crew_path(0), 1);
	hello.inode++;
	silent = crew_reach();
	unknown = greet(&crew, &hello);
	ck_assert(!net_polls(silent, POLLHUP));
	crew_await(&crew, silent, POLLHUP);
	crew_await(&crew, unknown, POLLHUP);
	ck_assert_uint_eq(crew.rendezvous.link_count, 0);
	ck_assert(!net_polls(crew.links[0], POLLHUP));
	crew_done(&crew);
	close(silent);
	close(unknown);
}
END_TEST

START_TEST(of_one_user_only_a_few_may_wait)
{
	struct crew crew;
	int fds[OF_A_USER + 1];

	crew_init(&crew, 0);
	for (int i = 0; i <= OF_A_USER; i++)
		fds[i] = crew_reach();
	crew_settle(&crew);
	for (int i = 0; i < OF_A_USER; i++)
		ck_assert(!net_polls(fds[i], POLLHUP));
	ck_assert(net_polls(fds[OF_A_USER], POLLHUP));
	ck_assert_uint_eq(crew.rendezvous.link_count, OF_A_USER);
	crew_done(&crew);
	for (int i = 0; i <= OF_A_USER; i++)
		close(fds[i]);
}
END_TEST

START_TEST(of_all_the_oldest_makes_room)
{
	static int fds[OF_ALL + 1];
	struct receipt_conn *link;
	struct crew crew;

	crew_init(&crew, 0);
	for (int i = 0; i <= OF_ALL; i++) {
		ck_assert(!net_polls(fds[0], POLLHUP) || i == 0);
		fds[i] = crew_reach();
		crew_settle(&crew);
		link = TAILQ_LAST(&crew.rendezvous.links, link_list);
		ck_assert_ptr_nonnull(link);
		link->uid = (uid_t)(100000 + i); /* as if another user's */
	}
	ck_assert(net_polls(fds[0], POLLHUP));
	for (int i = 1; i <= OF_ALL; i++)
		ck_assert(!net_polls(fds[i], POLLHUP));
	ck_assert_uint_eq(crew.rendezvous.link_count, OF_ALL);
	crew_done(&crew);
	for (int i = 0; i <= OF_ALL; i++)
		close(fds[i]);
}
END_TEST

START_TEST(what_would_be_read_soon_can_be_read_now)
{
	struct fdrecv_wire_hello hello;
	struct crew crew;
	int fd = -1;

	crew_init(&crew, 1);
	hello = letter_hello(crew_path(0), 1);
	fd = crew_reach();
	letter_greet(fd, &hello, crew_path(0));
	rendezvous_catch_up(NULL);
	rendezvous_catch_up(&crew.rendezvous);
	ck_assert_int_eq(crew_worker(&crew, 0)->kind, WORKER_RECEIPTED);
	ck_assert_str_eq(
	    rendezvous_path(&crew.rendezvous), unit_path("rendezvous"));
	ck_assert_str_eq(rendezvous_path(NULL), "");
	crew_done(&crew);
	close(fd);
}
END_TEST

/* With its mailbox closed it is sent nothing more that would make it so. */
START_TEST(a_worker_that_is_heard_late_is_looked_after)
{
	struct fdrecv_wire_hello hello;
	struct worker *worker;
	struct crew crew;

	crew_init(&crew, 1);
	worker = crew_worker(&crew, 0);
	ck_assert_uint_eq(crew_put(&crew, 1), 1);
	crew_expect(&crew, 0, "0");
	hello = letter_hello(crew_path(0), 1);
	crew_close(&crew, 0);
	crew.links[0] = crew_reach();
	letter_greet(crew.links[0], &hello, crew_path(0));
	event_del(worker->look);
	unreceipted_on_look(-1, 0, worker);
	ck_assert_int_eq(worker->kind, WORKER_RECEIPTED);
	ck_assert_uint_eq(crew.stats.unreceipted, 1);
	ck_assert(event_pending(worker->look, EV_TIMEOUT, NULL));
	crew_done(&crew);
}
END_TEST

UNIT_SUITE(rendezvous)
{
	TCase *tc = unit_case(suite, "rendezvous");

	tcase_add_test(tc, a_hello_makes_a_worker_a_receipted_one);
	tcase_add_test(tc, a_hello_may_come_before_its_worker_is_found);
	tcase_add_loop_test(tc, a_hello_of_another_mailbox_is_nobodys, 0, 4);
	tcase_add_test(tc, two_instances_make_a_worker_plain_for_good);
	tcase_add_test(tc, one_instance_may_come_again_and_keeps_a_few_links);
	tcase_add_test(
	    tc, who_says_nothing_or_is_not_found_is_dropped_after_a_while);
	tcase_add_test(tc, of_one_user_only_a_few_may_wait);
	tcase_add_test(tc, of_all_the_oldest_makes_room);
	tcase_add_test(tc, what_would_be_read_soon_can_be_read_now);
	tcase_add_test(tc, a_worker_that_is_heard_late_is_looked_after);
}
