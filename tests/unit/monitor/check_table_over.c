/* SPDX-License-Identifier: ISC */
/*
 * One table after another: sockets that are in both stay the same, the logged
 * difference is right, and a failure leaves the old table unchanged.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MOST 12

static struct test_child {
	struct setup setup;
	struct record_settings settings;
	struct record before_records[MOST], records[MOST];
	struct table before, table;
	struct channel_drain drain;
	int log[2];
	char text[1024];
} child;

/* The number makes the endpoint: an abstract socket, or a path from 100 on. */
static struct record
record_of(int number, uint32_t handoff)
{
	struct record record;
	char name[64];

	snprintf(
	    name, sizeof(name), "@table-over-%d-%d", (int)getpid(), number);
	if (number >= 100)
		snprintf(name, sizeof(name), "%d", number);
	record = record_sample_unix(
	    RECORD_UNIX_STREAM, number >= 100 ? unit_path(name) : name);
	record.u.endpoint.handoff = handoff;
	return record;
}

static void
open_table(struct table *table, const struct record *records, uint32_t count)
{
	*table = (struct table){
	    .settings = &child.settings, .endpoint_count = count};
	table->endpoints = calloc(count, sizeof(*table->endpoints));
	ck_assert_ptr_nonnull(table->endpoints);
	for (uint32_t i = 0; i < count; i++)
		table->endpoints[i] =
		    (struct endpoint){.record = &records[i], .fd = -1};
}

/* Starts with a bound table of count endpoints, numbered from first. */
static void
init(int first, uint32_t count)
{
	struct inherited none = {.items = NULL};

	memset(&child, 0, sizeof(child));
	test_process_log(&child.setup.log, child.log);
	child.settings.drain_timeout_s = 7;
	for (uint32_t i = 0; i < count; i++)
		child.before_records[i] =
		    record_of(first + (int)i, RECORD_CONNECTION);
	open_table(&child.before, child.before_records, count);
	ck_assert_int_eq(table_bind(&child.before, &child.setup, &none), -1);
}

/* Binds another table, of count records, as a reload does. */
static int
over(uint32_t count)
{
	struct inherited inherited = {.items = NULL};
	int status;

	for (uint32_t i = 0; i < child.before.endpoint_count; i++)
		inherited_add(&inherited,
		    fcntl(child.before.endpoints[i].fd, F_DUPFD_CLOEXEC, 0),
		    &child.before.endpoints[i]);
	open_table(&child.table, child.records, count);
	status = table_bind(&child.table, &child.setup, &inherited);
	inherited_done(&inherited);
	return status;
}

static void
take_over(void)
{
	table_take_over(&child.table, &child.before, &child.drain, child.text,
	    sizeof(child.text));
	ck_assert_uint_eq(child.drain.stop, 0);
	ck_assert_uint_eq(child.drain.timeout_ms, 7000);
	for (uint32_t i = 0; i < child.table.endpoint_count; i++) {
		ck_assert_int_eq(child.table.endpoints[i].shared, 0);
		ck_assert_ptr_null(child.table.endpoints[i].origin);
	}
}

static void
done(void)
{
	table_done(&child.before, ENDPOINT_REVOKE);
	table_done(&child.table, ENDPOINT_STOP);
	close(child.log[0]);
	close(child.log[1]);
}

static int
is_served(const struct endpoint *endpoint)
{
	int client = net_connect(endpoint->fd);
	int server = accept4(endpoint->fd, NULL, NULL, SOCK_CLOEXEC);
	int served = server != -1;

	fd_close(client);
	fd_close(server);
	return served;
}

START_TEST(the_difference_is_told)
{
	init(0, 10);
	/* 8 and 9 are lent; 8 is removed, 9 is not. */
	child.before_records[8].u.endpoint.handoff = RECORD_LISTENER;
	child.before_records[9].u.endpoint.handoff = RECORD_LISTENER;
	child.before_records[4].type = RECORD_RENDEZVOUS;
	/* 3 and 9 stay, 5 changes, 10, 11 and 12 are new. */
	child.records[0] = record_of(10, RECORD_CONNECTION);
	child.records[1] = record_of(3, RECORD_CONNECTION);
	child.records[2] = record_of(5, RECORD_CONNECTION);
	child.records[2].u.socket.backlog++;
	child.records[3] = record_of(11, RECORD_CONNECTION);
	child.records[4] = record_of(9, RECORD_LISTENER);
	child.records[5] = record_of(12, RECORD_CONNECTION);
	child.records[5].type = RECORD_RENDEZVOUS;
	ck_assert_int_eq(over(6), -1);
	take_over();
	ck_assert_str_eq(child.text,
	    "endpoints: 2 added, 1 changed, 6 removed, 2 unchanged");
	for (uint32_t i = 0; i < 10; i++) {
		int kept = i == 3 || i == 5 || i == 9;

		ck_assert_int_eq(channel_is_removed(&child.drain, i), !kept);
		ck_assert_int_eq(child.before.endpoints[i].shared, kept);
	}
	for (uint32_t i = 10; i < RECORD_MAX; i++)
		ck_assert_int_eq(channel_is_removed(&child.drain, i), 0);
	done();
}
END_TEST

/* Every bit of the largest table; no socket is bound. */
START_TEST(each_endpoint_has_a_bit)
{
	static struct record one;

	memset(&child, 0, sizeof(child));
	ck_assert_int_eq(pipe2(child.log, O_CLOEXEC), 0);
	child.settings.drain_timeout_s = 7;
	one = record_of(0, RECORD_CONNECTION);
	child.before.endpoints =
	    calloc(RECORD_MAX, sizeof(*child.before.endpoints));
	child.table.endpoints =
	    calloc(RECORD_MAX, sizeof(*child.table.endpoints));
	child.table.settings = &child.settings;
	for (uint32_t i = 0; i < RECORD_MAX; i++) {
		struct endpoint endpoint = {.record = &one, .fd = -1};

		child.before.endpoints[child.before.endpoint_count++] =
		    endpoint;
		endpoint.origin = &child.before.endpoints[i];
		if (i % 3 == 0)
			child.table.endpoints[child.table.endpoint_count++] =
			    endpoint;
	}
	take_over();
	for (uint32_t i = 0; i < RECORD_MAX; i++)
		ck_assert_int_eq(
		    channel_is_removed(&child.drain, i), i % 3 != 0);
	ck_assert_int_eq(channel_is_removed(&child.drain, RECORD_MAX), 0);
	done();
}
END_TEST

START_TEST(what_both_have_is_the_same_socket_and_goes_on)
{
	struct endpoint *kept;
	ino_t inode;

	init(99, 3); /* an abstract name and two files */
	inode = child.before.endpoints[1].inode;
	ck_assert_uint_ne(inode, 0);
	child.records[0] = child.before_records[1];
	child.records[1] = child.before_records[0];
	ck_assert_int_eq(over(2), -1);
	kept = child.table.endpoints;
	for (int i = 0; i < 2; i++)
		ck_assert(
		    net_is_same(kept[i].fd, child.before.endpoints[1 - i].fd));
	ck_assert_int_eq(table_apply(&child.table, &child.setup), -1);
	take_over();
	table_done(&child.before, ENDPOINT_REVOKE);
	ck_assert(is_served(&kept[0]) && is_served(&kept[1]));
	ck_assert_uint_eq(kept[0].inode, inode);
	ck_assert_int_eq(access(unit_path("100"), F_OK), 0);
	ck_assert_int_eq(access(unit_path("101"), F_OK), -1);
	done();
	ck_assert_int_eq(access(unit_path("100"), F_OK), -1);
}
END_TEST

START_TEST(a_failure_in_the_middle_leaves_the_table_before_as_it_was)
{
	int other;

	init(99, 3);
	other = net_bind(unit_path("102"), SOCK_STREAM);
	child.records[0] = record_of(100, RECORD_CONNECTION);
	child.records[1] = record_of(103, RECORD_CONNECTION); /* a new one */
	child.records[2] = record_of(102, RECORD_CONNECTION);
	child.records[3] = record_of(101, RECORD_CONNECTION);
	ck_assert_int_eq(over(4), EX_OSERR);
	ck_assert_int_eq(access(unit_path("103"), F_OK), 0);
	table_done(&child.table, ENDPOINT_STOP);
	for (int i = 0; i < 3; i++)
		ck_assert(is_served(&child.before.endpoints[i]));
	ck_assert_int_eq(access(unit_path("100"), F_OK), 0);
	ck_assert_int_eq(access(unit_path("101"), F_OK), 0);
	ck_assert_int_eq(access(unit_path("103"), F_OK), -1);
	test_process_read(child.log[0], child.text, sizeof(child.text));
	ck_assert_ptr_nonnull(strstr(child.text, "a live socket is in its"));
	done();
	close(other);
}
END_TEST

START_TEST(what_cannot_change_is_a_failure_that_is_said)
{
	init(0, 1);
	child.records[0] = record_of(0, RECORD_LISTENER);
	ck_assert_int_eq(over(1), EX_OSERR);
	test_process_read(child.log[0], child.text, sizeof(child.text));
	ck_assert_ptr_nonnull(
	    strstr(child.text, "its handoff cannot change while it is open"));
	ck_assert(is_served(&child.before.endpoints[0]));
	done();
}
END_TEST

/* No client finds it any more; those in its queue are still served. */
/* The first of three records cannot be bound: another socket has its name. */
static int
start_with_a_taken_name(uint32_t flags, uint32_t count)
{
	int status;

	init(1, 1);
	for (uint32_t i = 0; i < count; i++) {
		child.records[i] = record_of(1 + (int)i, RECORD_CONNECTION);
		child.records[i].u.socket.flags |= flags;
	}
	child.before.endpoint_count = 0; /* nothing is known of the first */
	status = over(count);
	child.before.endpoint_count = 1;
	return status;
}

START_TEST(a_start_goes_on_without_an_optional_socket)
{
	ck_assert_int_eq(start_with_a_taken_name(RECORD_OPTIONAL, 3), -1);
	ck_assert_int_eq(child.table.endpoints[0].error, EADDRINUSE);
	ck_assert_int_eq(child.table.endpoints[0].fd, -1);
	ck_assert_uint_eq(child.table.bound, 2);
	ck_assert(is_served(&child.table.endpoints[1]));
	done();
}
END_TEST

START_TEST(a_start_without_any_socket_fails)
{
	ck_assert_int_eq(start_with_a_taken_name(RECORD_OPTIONAL, 1), EX_OSERR);
	done();
	ck_assert_int_eq(start_with_a_taken_name(0, 3), EX_OSERR);
	done();
}
END_TEST

/* The second endpoint of the listener has another address now, which is taken;
 * or the taken one is of another listener. */
START_TEST(a_reload_loses_nothing_that_serves)
{
	int taken = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct record *new = &child.records[1];

	init(1, 2);
	child.records[0] = record_of(1, RECORD_CONNECTION);
	*new = record_of(7, RECORD_CONNECTION);
	new->u.socket.flags |= RECORD_OPTIONAL;
	ck_assert_int_eq(
	    bind(taken, (const struct sockaddr *)&new->u.socket.address,
		new->u.socket.address_length),
	    0);
	if (_i == 1)
		strcpy(new->u.endpoint.listener, "other");
	ck_assert_int_eq(over(2), _i == 0 ? EX_OSERR : -1);
	ck_assert(is_served(&child.before.endpoints[0]));
	ck_assert(is_served(&child.before.endpoints[1]));
	close(taken);
	done();
}
END_TEST

/* Others have a socket that was shut down open, so connect(2) does not tell. */
START_TEST(a_dead_local_socket_is_made_anew)
{
	init(100, 1);
	if (_i < 2)
		shutdown(
		    child.before.endpoints[0].fd, _i ? SHUT_RD : SHUT_RDWR);
	else
		ck_assert_int_eq(unlink(unit_path("100")), 0);
	child.records[0] = child.before_records[0];
	ck_assert_int_eq(over(1), -1);
	ck_assert(!net_is_same(
	    child.table.endpoints[0].fd, child.before.endpoints[0].fd));
	take_over();
	ck_assert_str_eq(child.text,
	    "endpoints: 1 added, 0 changed, 1 removed, 0 unchanged");
	ck_assert(channel_is_removed(&child.drain, 0));
	table_done(&child.before, ENDPOINT_REVOKE);
	ck_assert_int_eq(access(unit_path("100"), F_OK), 0);
	ck_assert(is_served(&child.table.endpoints[0]));
	done();
}
END_TEST

/* Nothing can be bound to an abstract name while anybody has the socket. */
START_TEST(a_dead_socket_with_an_abstract_name_stays)
{
	init(0, 1);
	ck_assert_int_eq(shutdown(child.before.endpoints[0].fd, SHUT_RDWR), 0);
	child.records[0] = child.before_records[0];
	ck_assert_int_eq(over(1), -1);
	ck_assert(net_is_same(
	    child.table.endpoints[0].fd, child.before.endpoints[0].fd));
	take_over();
	done();
}
END_TEST

/* With its file, if it has one. */
START_TEST(a_removed_socket_stays_with_those_it_was_lent_to)
{
	int lent;

	init(99 + _i, 2);
	child.before_records[0].u.endpoint.handoff = RECORD_LISTENER;
	child.before_records[0].u.socket.flags = RECORD_KEEP;
	child.records[0] = child.before_records[1];
	ck_assert_int_eq(over(1), -1);
	take_over();
	ck_assert(channel_is_removed(&child.drain, 0));
	lent = fcntl(child.before.endpoints[0].fd, F_DUPFD_CLOEXEC, 0);
	table_done(&child.before, ENDPOINT_REVOKE);
	ck_assert(is_served(&(struct endpoint){.fd = lent}));
	if (_i)
		ck_assert_int_eq(access(unit_path("100"), F_OK), 0);
	close(lent);
	done();
}
END_TEST

UNIT_SUITE(table_over)
{
	TCase *tc = unit_case(suite, "over");

	tcase_add_test(tc, the_difference_is_told);
	tcase_add_test(tc, each_endpoint_has_a_bit);
	tcase_add_test(tc, what_both_have_is_the_same_socket_and_goes_on);
	tcase_add_test(
	    tc, a_failure_in_the_middle_leaves_the_table_before_as_it_was);
	tcase_add_test(tc, what_cannot_change_is_a_failure_that_is_said);
	tcase_add_test(tc, a_start_goes_on_without_an_optional_socket);
	tcase_add_test(tc, a_start_without_any_socket_fails);
	tcase_add_loop_test(tc, a_reload_loses_nothing_that_serves, 0, 2);
	tcase_add_loop_test(tc, a_dead_local_socket_is_made_anew, 0, 3);
	tcase_add_test(tc, a_dead_socket_with_an_abstract_name_stays);
	tcase_add_loop_test(
	    tc, a_removed_socket_stays_with_those_it_was_lent_to, 0, 2);
}
