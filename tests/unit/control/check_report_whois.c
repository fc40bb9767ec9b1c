/* SPDX-License-Identifier: ISC */
/*
 * Sockets of the engine by their inode numbers.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include "engine/control/report.h"
#include "engine/worker/receipt_conn.h"

#include <sys/stat.h>

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

static struct test_control test;

/* Asserts the answer about a number; listener may be NULL. */
static void
expect_number(
    ino_t inode, const char *what, const char *listener, const char *words)
{
	json_t *json = report_whois(&test.control.context, inode);
	const char *found;

	ck_assert_ptr_nonnull(json);
	ck_assert_uint_eq(
	    (ino_t)json_integer_value(json_object_get(json, "inode")), inode);
	ck_assert_str_eq(
	    json_string_value(json_object_get(json, "what")), what);
	if (listener == NULL)
		ck_assert(json_is_null(json_object_get(json, "listener")));
	else
		ck_assert_str_eq(
		    json_string_value(json_object_get(json, "listener")),
		    listener);
	found = json_string_value(json_object_get(json, "text"));
	ck_assert_msg(strstr(found, words) != NULL, "%s: %s", words, found);
	json_decref(json);
}

static void
expect_fd(int fd, const char *what, const char *listener, const char *words)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	expect_number(st.st_ino, what, listener, words);
}

static void
expect_file(const char *path, const char *what, const char *words)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	expect_number(st.st_ino, what, NULL, words);
}

START_TEST(endpoints_are_known)
{
	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	expect_fd(test.port, "endpoint", "www",
	    "tcp:127.0.0.1:80, of listener www: bound and kept by brokerd, "
	    "which hands off connections to it");
	expect_fd(TAILQ_FIRST(&test.lent->endpoints)->fd, "endpoint", "lent",
	    "which lends it to workers");
	test_control_done(&test);
}
END_TEST

START_TEST(files_of_local_sockets_are_known)
{
	const char *path = unit_path("socket");
	struct record_endpoint record;
	struct stat st;
	int fd = net_bind(path, SOCK_STREAM);

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	record = *TAILQ_FIRST(&test.www->endpoints)->record;
	record.socket = record_sample_unix(RECORD_UNIX_STREAM, path).u.socket;
	ck_assert_int_eq(socket_table_note(&test.table, 2, fd), 0);
	ck_assert_int_eq(socket_table_add(&test.table, &record, fd, 0), 0);
	expect_fd(fd, "endpoint", "www", "of listener www");
	ck_assert_int_eq(lstat(path, &st), 0);
	expect_number(st.st_ino, "endpoint", "www", "of listener www");
	test_control_done(&test);
}
END_TEST

START_TEST(sockets_towards_workers_are_known)
{
	struct worker *worker;

	test_control_init(&test, 2, geteuid(), RECORD_NO_ID);
	worker = test_pool_worker(&test.pool, 1);
	expect_file(test_pool_path(1), "mailbox",
	    "the file of the mailbox of worker b");
	expect_fd(worker->mailbox.fd, "mailbox", NULL,
	    "the engine's end of a connection to the mailbox of worker b");
	expect_fd(TAILQ_FIRST(&worker->conns.head)->fd, "receipts", NULL,
	    "on which worker b sends receipts");
	worker->unlinked = 1;
	expect_file(test_pool_path(1), "mailbox", "of worker b");
	test_control_done(&test);
}
END_TEST

START_TEST(connections_are_known)
{
	struct handoff *handoff;
	int client;

	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	socket_table_start(&test.table);
	client = net_connect(test.port);
	while (test_pool_worker(&test.pool, 0)->unreceipted.count == 0)
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	handoff =
	    TAILQ_FIRST(&test_pool_worker(&test.pool, 0)->unreceipted.list);
	expect_fd(handoff->fd, "connection", "www",
	    "a connection to tcp:127.0.0.1:80, of listener www: a worker has "
	    "it too, and has not confirmed it");
	test_pool_close(&test.pool, 0);
	while (TAILQ_EMPTY(&test.pool.pool->held))
		ck_assert_int_eq(
		    event_base_loop(test.pool.core.base, EVLOOP_ONCE), 0);
	handoff = TAILQ_FIRST(&test.pool.pool->held);
	expect_fd(handoff->fd, "connection", "www", "it waits for a worker");
	close(client);
	test_control_done(&test);
}
END_TEST

START_TEST(sockets_of_the_broker_itself_are_known)
{
	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	expect_fd(test.control.context.fd, "control", NULL,
	    test.control.context.path);
	expect_file(unit_path("control"), "control", "the control socket, /");
	expect_fd(test.pool.rendezvous.fd, "rendezvous", NULL,
	    test.pool.rendezvous.path);
	expect_file(
	    unit_path("rendezvous"), "rendezvous", "where workers say HELLO");
	expect_fd(test.table.requests.channel, "channel", NULL,
	    "the channel to the monitor");
	test_control_done(&test);
}
END_TEST

START_TEST(sockets_of_killed_engines_are_known)
{
	struct test_pool *pool = &test.pool;
	struct returns *returns = &test.table.returns;
	const struct sockaddr_storage peer = {.ss_family = AF_INET};
	struct handoff *handoff;
	int ends[2], client, fd;

	test_control_init(&test, 0, geteuid(), RECORD_NO_ID);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(returns_add(returns, ends[0]), 0);
	expect_fd(ends[0], "returns", NULL, "an engine had that was killed");
	close(ends[1]);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	client = net_connect(test.port);
	fd = accept4(test.port, NULL, NULL, SOCK_CLOEXEC);
	handoff = handoff_new(&pool->core.reserved,
	    TAILQ_FIRST(&test.www->endpoints)->record, test.www->stats,
	    &pool->core.bounded, fd, &peer, 0);
	ck_assert_ptr_nonnull(handoff);
	sent_before_add(&returns->sent, handoff, pool->pool, ends[0]);
	expect_fd(ends[0], "receipts", NULL, "to an engine that was killed");
	expect_fd(handoff->fd, "connection", "www",
	    "an engine that was killed gave it to a worker too");
	close(ends[1]);
	close(client);
	test_control_done(&test);
}
END_TEST

START_TEST(other_sockets_are_not_known)
{
	struct stat st;
	int fd;

	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
	fd = net_listen(AF_INET);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_ptr_null(report_whois(&test.control.context, st.st_ino));
	ck_assert_ptr_null(report_whois(&test.control.context, UINT64_MAX));
	close(fd);
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(report_whois)
{
	TCase *tc = unit_case(suite, "whois");

	tcase_add_test(tc, endpoints_are_known);
	tcase_add_test(tc, files_of_local_sockets_are_known);
	tcase_add_test(tc, sockets_towards_workers_are_known);
	tcase_add_test(tc, connections_are_known);
	tcase_add_test(tc, sockets_of_the_broker_itself_are_known);
	tcase_add_test(tc, sockets_of_killed_engines_are_known);
	tcase_add_test(tc, other_sockets_are_not_known);
}
