/* SPDX-License-Identifier: ISC */
/*
 * Which lent socket the bind shim finds.
 */
#include "fixture/unit.h"

#include "bind/lent_sockets.h"

#include <arpa/inet.h>
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
find_length(const struct lent_sockets *table, int fd,
    const struct sockaddr_in *in, socklen_t length)
{
	int is_mapped = 0;
	int found = lent_sockets_find(
	    table, fd, (const struct sockaddr *)in, length, &is_mapped);

	ck_assert_int_eq(is_mapped, 0);
	return found;
}

static int
find(const struct lent_sockets *table, int fd, const struct sockaddr_in *in)
{
	return find_length(table, fd, in, sizeof(*in));
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
	ck_assert_int_eq(find(table, fd, NULL), -1);
	ck_assert_int_eq(find(table, lent, &in), -1);
	ck_assert_int_eq(find(table, -1, &in), -1);
	for (socklen_t length = 0; length < sizeof(in); length++)
		ck_assert_int_eq(find_length(table, fd, &in, length), -1);
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

START_TEST(an_ipv6_socket_with_ipv4_finds_an_ipv4_address)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	int lent = lent_socket(&in), is_mapped = 0, v6only = 0;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int datagram = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct lent_sockets *table = load(lent);
	const struct sockaddr *address = (const struct sockaddr *)&in6;

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr);
	in6.sin6_port = in.sin_port;
	for (v6only = 0; v6only < 2; v6only++) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(int));
		ck_assert_int_eq(lent_sockets_find(table, fd, address,
				     sizeof(in6), &is_mapped),
		    v6only ? -1 : lent);
		ck_assert_int_eq(is_mapped, 1);
	}
	ck_assert_int_eq(lent_sockets_find(
			     table, datagram, address, sizeof(in6), &is_mapped),
	    -1);
	v6only = 0;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(int));
	in6.sin6_addr = in6addr_any; /* 0.0.0.0 was not lent */
	ck_assert_int_eq(
	    lent_sockets_find(table, fd, address, sizeof(in6), &is_mapped), -1);
	close(datagram);
	close(fd);
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
	tcase_add_test(tc, an_ipv6_socket_with_ipv4_finds_an_ipv4_address);
	tcase_add_test(tc, a_number_that_is_another_socket_now_is_not_lent);
	tcase_add_test(tc, a_socket_of_another_interface_is_not_found);
	tcase_add_test(tc, there_are_at_most_as_many_as_there_is_room_for);
}
