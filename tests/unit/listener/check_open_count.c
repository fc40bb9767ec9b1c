/* SPDX-License-Identifier: ISC */
/*
 * Which connections are open, as the kernel tells.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_listener.h"
#include "fixture/unit.h"

#include "engine/listener/admission.h"
#include "engine/listener/socket_census.h"

#include <sys/socket.h>

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define MANY 400 /* connections */

static struct test_listener test;

static void
count(void *owner, const struct source_address *from)
{
	(void)from;
	(*(unsigned int *)owner)++;
}

static unsigned int
census(struct socket_census *asked, const struct record_socket *sock)
{
	unsigned int found = 0;

	ck_assert_int_eq(socket_census_begin(asked, sock, count, &found), 0);
	ck_assert_int_eq(socket_census_go_on(asked, UINT_MAX), 0);
	return found;
}

START_TEST(the_kernel_knows_which_connections_are_open)
{
	struct record_socket *sock;
	struct socket_census asked;
	int taken[2];

	test_listener_init(&test, 0, 0);
	sock = &test.endpoint->record->socket;
	socket_census_open(&asked);
	ck_assert_int_ne(asked.fd, -1);
	test_listener_connect(&test, 3);
	ck_assert_uint_eq(census(&asked, sock), 0); /* nobody has accepted */
	for (int i = 0; i < 2; i++)
		taken[i] = accept4(test.port, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_uint_eq(census(&asked, sock), 2);
	shutdown(taken[0], SHUT_WR);
	ck_assert_uint_eq(census(&asked, sock), 2);
	close(taken[0]);
	ck_assert_uint_eq(census(&asked, sock), 1);
	close(test.clients[1]);
	test.clients[1] = dup(test.port);
	ck_assert_uint_eq(census(&asked, sock), 1); /* taken[1] is open */
	close(taken[1]);
	ck_assert_uint_eq(census(&asked, sock), 0);
	socket_census_close(&asked);
	ck_assert_int_eq(socket_census_begin(&asked, sock, count, NULL), -1);
	test_listener_done(&test);
}
END_TEST

/* The answer of the kernel is larger than a piece of it. */
START_TEST(a_census_that_takes_long_lets_others_have_their_turn)
{
	struct socket_census asked;
	struct record_socket *sock;
	int clients[MANY], taken[MANY], pieces = 1, got;
	unsigned int found = 0;

	test_listener_init(&test, 0, 0);
	sock = &test.endpoint->record->socket;
	socket_census_open(&asked);
	for (int i = 0; i < MANY; i++) {
		clients[i] = net_connect(test.port);
		taken[i] = accept4(test.port, NULL, NULL, SOCK_CLOEXEC);
		ck_assert_int_ne(taken[i], -1);
	}
	ck_assert_int_eq(socket_census_begin(&asked, sock, count, &found), 0);
	while ((got = socket_census_go_on(&asked, 1)) == 1) {
		ck_assert_uint_lt(found, MANY + 1);
		pieces++;
	}
	ck_assert_int_eq(got, 0);
	ck_assert_uint_eq(found, MANY);
	ck_assert_int_gt(pieces, 2);
	for (int i = 0; i < MANY; i++) {
		close(taken[i]);
		close(clients[i]);
	}
	socket_census_close(&asked);
	test_listener_done(&test);
}
END_TEST

/* What comes during a census counts, whether the census has seen it or not. */
START_TEST(what_comes_during_a_census_counts)
{
	struct open_count *open;
	struct source_entry *source;
	struct socket_census asked;

	test_listener_init(&test, 0, 0);
	test.endpoint->record->source = (struct record_source){
	    .accept_ahead = 10, .max_per_source = 3, .prefix = {32, 64}};
	test.listener->admission = admission_new(test.listener, NULL, 0);
	ck_assert_ptr_nonnull(test.listener->admission);
	listener_start(test.listener);
	socket_census_open(&asked);
	test.pool.core.listeners.census = &asked;
	open = &test.listener->admission->open;
	test_listener_connect(&test, 2);
	test_listener_settle(&test, LISTENER_WAITING);
	source = (void *)fair_ring_next(&test.listener->admission->ring);
	ck_assert_uint_eq(source_table_open(open->sources, source), 2);
	source->open.count = 50;
	open->again_us = asked.again_us = 1;
	open->is_long = 1; /* the next one begins later */
	ck_assert(open_count_exceeds(open, source));
	open_count_remove(open, source);
	ck_assert_ptr_eq(asked.user, open);
	open->sources->begun++; /* it does */
	open->endpoint = TAILQ_FIRST(&test.listener->endpoints);
	open_count_add(open, source);
	ck_assert_uint_eq(source_table_open(open->sources, source), 51);
	open->next.on_time(open);
	ck_assert_ptr_null(asked.user);
	ck_assert_uint_eq(source_table_open(open->sources, source), 3);
	open_count_remove(open, source);
	ck_assert_uint_eq(source_table_open(open->sources, source), 2);
	test.pool.core.listeners.census = NULL;
	open_count_done(open);
	socket_census_close(&asked);
	test_listener_done(&test);
}
END_TEST

static uint32_t users[4];

static void
note_user(void *owner, const struct source_address *from)
{
	unsigned int *found = owner;

	ck_assert_uint_eq(from->family, SOURCE_LOCAL);
	if (*found < UNIT_COUNT(users))
		memcpy(&users[*found], from->bytes, sizeof(users[0]));
	(*found)++;
}

START_TEST(the_kernel_knows_the_users_of_local_connections)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, "@check_admission");
	const struct sockaddr *address = (const void *)&record.u.socket.address;
	socklen_t length = record.u.socket.address_length;
	int port = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int clients[2], taken[2];
	unsigned int found = 0;
	struct socket_census asked;

	socket_census_open(&asked);
	ck_assert_int_eq(bind(port, address, length), 0);
	ck_assert_int_eq(listen(port, 5), 0);
	for (int i = 0; i < 2; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(connect(clients[i], address, length), 0);
	}
	ck_assert_uint_eq(census(&asked, &record.u.socket), 0);
	for (int i = 0; i < 2; i++)
		taken[i] = accept4(port, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_eq(
	    socket_census_begin(&asked, &record.u.socket, note_user, &found),
	    0);
	ck_assert_int_eq(socket_census_go_on(&asked, UINT_MAX), 0);
	ck_assert_uint_eq(found, 2);
	ck_assert_uint_eq(users[0], geteuid());
	close(clients[0]);
	ck_assert_uint_eq(census(&asked, &record.u.socket), 1);
	close(taken[1]);
	ck_assert_uint_eq(census(&asked, &record.u.socket), 0);
	close(clients[1]);
	close(taken[0]);
	close(port);
	socket_census_close(&asked);
}
END_TEST

UNIT_SUITE(open_count)
{
	TCase *tc = unit_case(suite, "census");

	tcase_add_test(tc, the_kernel_knows_which_connections_are_open);
	tcase_add_test(tc, the_kernel_knows_the_users_of_local_connections);
	tcase_add_test(
	    tc, a_census_that_takes_long_lets_others_have_their_turn);
	tcase_add_test(tc, what_comes_during_a_census_counts);
}
