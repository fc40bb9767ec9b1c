/* SPDX-License-Identifier: ISC */
/*
 * Which rendezvous socket a broker makes beside those of others, and of brokers
 * that were killed.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/meaning/rendezvous_socket.h"

#include <sys/socket.h>

#include <stdio.h>
#include <string.h>

/* 'l' is a live socket, 'd' a dead one, '-' none, for each number. */
static const struct {
	const char *files;
	int number;
} places[] = {
    {"--------", 0},
    {"l-------", 1},
    {"d-------", 0},
    {"-d------", 1},
    {"l-d-----", 2},
    {"d-d-----", 0},
    {"-l-l---d", 7},
    {"llllllll", 7},
};

START_TEST(a_socket_that_was_left_behind_is_taken_first)
{
	const char *files = places[_i].files;
	int fds[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
	char name[32], expected[64];
	struct output out;
	const char *found;

	unit_directory("run", 0755);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "run/rendezvous.%d", i);
		if (files[i] != '-')
			fds[i] = net_bind(unit_path(name), SOCK_SEQPACKET);
		if (files[i] == 'l')
			ck_assert_int_eq(listen(fds[i], 1), 0);
		if (files[i] == 'd')
			fds[i] = fd_close(fds[i]);
	}
	output_init(&out);
	rendezvous_socket_add(&out, unit_path("run"));
	ck_assert_uint_eq(out.count, 1);
	found = out.sockets[0].u.socket.name;
	snprintf(expected, sizeof(expected), "/run/rendezvous.%d",
	    places[_i].number);
	ck_assert_str_eq(found + strlen(found) - strlen(expected), expected);
	output_done(&out);
	for (int i = 0; i < 8; i++)
		fd_close(fds[i]);
}
END_TEST

UNIT_SUITE(rendezvous_socket)
{
	TCase *tc = unit_case(suite, "rendezvous");

	tcase_add_loop_test(tc, a_socket_that_was_left_behind_is_taken_first, 0,
	    (int)UNIT_COUNT(places));
}
