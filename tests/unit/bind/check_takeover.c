/* SPDX-License-Identifier: ISC */
/*
 * What a lent socket takes over from the program's: options.
 */
#include "fixture/unit.h"

#include "bind/takeover.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <unistd.h>

/* Options for which no supported kernel has this value in a new socket.
 * SO_RCVBUF and SO_SNDBUF come back doubled. */
static const struct option {
	int domain;
	int type;
	int level;
	int name;
	int value;
	int found;
} options[] = {
    {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_KEEPALIVE, 1, 1},
    {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_OOBINLINE, 1, 1},
    {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_PRIORITY, 5, 5},
    {AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVLOWAT, 77, 77},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_DEFER_ACCEPT, 3, 3},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPCNT, 5, 5},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPIDLE, 99, 99},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPINTVL, 8, 8},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_LINGER2, 7, 7},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_MAXSEG, 1000, 1000},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY, 1, 1},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096, 4096},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_SAVE_SYN, 1, 1},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_SYNCNT, 3, 3},
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, 5000},
    {AF_INET, SOCK_STREAM, IPPROTO_IP, IP_TTL, 9, 9},
    {AF_INET, SOCK_STREAM, IPPROTO_IP, IP_MINTTL, 9, 9},
    {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_BROADCAST, 1, 1},
    {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_DONTROUTE, 1, 1},
    {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_RCVBUF, 9000, 18000},
    {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_RXQ_OVFL, 1, 1},
    {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_SNDBUF, 9000, 18000},
    {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_TIMESTAMP, 1, 1},
    {AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_TIMESTAMPNS, 1, 1},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_FREEBIND, 1, 1},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_MTU_DISCOVER, 0, 0},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_MULTICAST_LOOP, 0, 0},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_MULTICAST_TTL, 6, 6},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_PKTINFO, 1, 1},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_RECVERR, 1, 1},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_RECVORIGDSTADDR, 1, 1},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_RECVTOS, 1, 1},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_RECVTTL, 1, 1},
    {AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_TOS, 16, 16},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_DONTFRAG, 1, 1},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_MTU_DISCOVER, 0, 0},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 6, 6},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, 0},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_RECVERR, 1, 1},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, 1},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, 1},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, 1},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_TCLASS, 16, 16},
    {AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 6, 6},
    {AF_UNIX, SOCK_STREAM, SOL_SOCKET, SO_PASSCRED, 1, 1},
    {AF_UNIX, SOCK_DGRAM, SOL_SOCKET, SO_PASSSEC, 1, 1},
};

static int
option_of(int fd, const struct option *option)
{
	socklen_t size = sizeof(int);
	int value = -1;

	ck_assert_msg(
	    getsockopt(fd, option->level, option->name, &value, &size) == 0,
	    "level %d, option %d", option->level, option->name);
	return value;
}

START_TEST(an_option_that_was_set_is_carried)
{
	const struct option *option = &options[_i];
	int from = socket(option->domain, option->type | SOCK_CLOEXEC, 0);
	int to = socket(option->domain, option->type | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(option_of(to, option), option->found);
	ck_assert_int_eq(setsockopt(from, option->level, option->name,
			     &option->value, sizeof(int)),
	    0);
	takeover_options(from, to);
	ck_assert_msg(option_of(to, option) == option->found,
	    "level %d, option %d: %d", option->level, option->name,
	    option_of(to, option));
	close(from);
	close(to);
}
END_TEST

START_TEST(a_priority_is_carried_beside_a_type_of_service)
{
	int from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct option tos = {.level = IPPROTO_IP, .name = IP_TOS};
	const struct option priority = {
	    .level = SOL_SOCKET, .name = SO_PRIORITY};
	int value = 16;

	ck_assert_int_eq(
	    setsockopt(from, IPPROTO_IP, IP_TOS, &value, sizeof(value)), 0);
	value = 1;
	ck_assert_int_eq(
	    setsockopt(from, SOL_SOCKET, SO_PRIORITY, &value, sizeof(value)),
	    0);
	takeover_options(from, to);
	ck_assert_int_eq(option_of(to, &tos), 16);
	ck_assert_int_eq(option_of(to, &priority), 1);
	close(from);
	close(to);
}
END_TEST

START_TEST(options_that_are_as_new_are_not_carried)
{
	int lent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1,
	    value;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(int);

	ck_assert_int_eq(
	    setsockopt(lent, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)), 0);
	takeover_options(fd, lent);
	ck_assert_int_eq(
	    getsockopt(lent, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
	ck_assert_int_eq(value, 1);
	ck_assert_int_eq(
	    getsockopt(lent, SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
	ck_assert_int_eq(value, 1);
	close(fd);
	close(lent);
}
END_TEST

START_TEST(options_are_carried_without_a_descriptor_to_spare)
{
	int lent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), count = 5,
	    value;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(int);
	unsigned long limit;

	ck_assert_int_eq(
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count)), 0);
	limit = unit_limit_fds();
	takeover_options(fd, lent);
	unit_unlimit_fds(limit);
	ck_assert_int_eq(
	    getsockopt(lent, IPPROTO_TCP, TCP_KEEPCNT, &value, &size), 0);
	ck_assert_int_eq(value, count);
	ck_assert_int_ne(fcntl(lent, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	close(lent);
}
END_TEST

UNIT_SUITE(takeover)
{
	TCase *tc = unit_case(suite, "carry");

	tcase_add_loop_test(
	    tc, an_option_that_was_set_is_carried, 0, (int)UNIT_COUNT(options));
	tcase_add_test(tc, a_priority_is_carried_beside_a_type_of_service);
	tcase_add_test(tc, options_that_are_as_new_are_not_carried);
	tcase_add_test(tc, options_are_carried_without_a_descriptor_to_spare);
}
