/* SPDX-License-Identifier: ISC */
/*
 * Which lent socket the bind shim finds.
 */
#include "fixture/unit.h"

#include "bind/lent_sockets.h"

#include <netinet/in.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Gives a socket bound to a port of 127.0.0.1 that the kernel chose. */
static int
lent_socket(struct sockaddr_in *out_address)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(fd, 9), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &length), 0);
	*out_address = in;
	return fd;
}

static int
find(const struct lent_sockets *table, int fd, const struct sockaddr_in *in)
{
	return lent_sockets_find(
	    table, fd, (const struct sockaddr *)in, sizeof(*in));
}

static struct lent_sockets *
load(int fd)
{
	struct lent_sockets *table = calloc(1, sizeof(*table));
	char text[32];

	ck_assert_ptr_nonnull(table);
	snprintf(text, sizeof(text), " %d ", fd);
	lent_sockets_load(table, text);
	return table;
}

START_TEST(a_lent_socket_is_found_by_its_address)
{
	struct sockaddr_in in, other;
	int lent = lent_socket(&in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct lent_sockets *table = load(lent);

	other = in;
	other.sin_port = htons((uint16_t)(ntohs(in.sin_port) ^ 1));
	ck_assert_uint_eq(table->count, 1);
	ck_assert_int_eq(find(table, fd, &in), lent);
	ck_assert_int_eq(find(table, fd, &other), -1);
	ck_assert_int_eq(lent_sockets_find(table, fd, NULL, sizeof(in)), -1);
	ck_assert_int_eq(find(table, lent, &in), -1);
	ck_assert_int_eq(find(table, -1, &in), -1);
	for (socklen_t length = 0; length < sizeof(in); length++)
		ck_assert_int_eq(lent_sockets_find(
				     table, fd, (struct sockaddr *)&in, length),
		    -1);
	close(fd);
	close(lent);
	free(table);
}
END_TEST

START_TEST(an_address_of_another_family_than_the_socket_is_the_kernels)
{
	struct sockaddr_in in;
	int lent = lent_socket(&in);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct lent_sockets *table = load(lent);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(find(table, fd, &in), -1);
	close(fd);
	close(lent);
	free(table);
}
END_TEST

START_TEST(a_number_that_is_another_socket_now_is_not_lent)
{
	struct sockaddr_in in, own;
	int lent = lent_socket(&in), second = lent_socket(&own);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct lent_sockets *table = load(lent);
	int copy = fcntl(lent, F_DUPFD_CLOEXEC, 0);

	ck_assert_int_eq(dup3(second, lent, O_CLOEXEC), lent);
	ck_assert_int_eq(find(table, fd, &in), -1);
	ck_assert_int_eq(find(table, fd, &own), -1);
	ck_assert(lent_sockets_has(table, copy));
	ck_assert(!lent_sockets_has(table, lent));
	ck_assert(!lent_sockets_has(table, -1));
	close(copy);
	close(fd);
	close(second);
	close(lent);
	free(table);
}
END_TEST

/* Binds fd to the loopback interface; 0, or -1 where that is not permitted. */
static int
use_loopback(int fd)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
}

START_TEST(a_socket_of_another_interface_is_not_found)
{
	struct sockaddr_in in;
	int lent = lent_socket(&in);
	int any = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int loopback = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct lent_sockets *table = load(lent);

	if (use_loopback(loopback) == -1) {
		unit_skip("this user may not choose an interface");
	} else {
		ck_assert_int_eq(find(table, any, &in), lent);
		ck_assert_int_eq(find(table, loopback, &in), -1);
		ck_assert_int_eq(use_loopback(lent), 0);
		ck_assert_int_eq(find(table, any, &in), -1);
		ck_assert_int_eq(find(table, loopback, &in), lent);
	}
	close(loopback);
	close(any);
	close(lent);
	free(table);
}
END_TEST

START_TEST(there_are_at_most_as_many_as_there_is_room_for)
{
	struct lent_sockets *table = calloc(1, sizeof(*table));
	char text[(LENT_SOCKETS_MAX + 9) * 12] = "";
	struct sockaddr_in in;
	int lent = lent_socket(&in);
	size_t used = 0;

	ck_assert_ptr_nonnull(table);
	for (int i = 0; i < LENT_SOCKETS_MAX + 9; i++)
		used += (size_t)snprintf(
		    text + used, sizeof(text) - used, "%d ", lent);
	lent_sockets_load(table, text);
	ck_assert_uint_eq(table->count, LENT_SOCKETS_MAX);
	close(lent);
	free(table);
}
END_TEST

UNIT_SUITE(lent_sockets)
{
	TCase *tc = unit_case(suite, "lent_sockets");

	tcase_add_test(tc, a_lent_socket_is_found_by_its_address);
	tcase_add_test(
	    tc, an_address_of_another_family_than_the_socket_is_the_kernels);
	tcase_add_test(tc, a_number_that_is_another_socket_now_is_not_lent);
	tcase_add_test(tc, a_socket_of_another_interface_is_not_found);
	tcase_add_test(tc, there_are_at_most_as_many_as_there_is_room_for);
}
