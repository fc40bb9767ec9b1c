/* SPDX-License-Identifier: ISC */
/*
 * The record that fdrecv_next() returns for a socket that came with 'x' only:
 * all fields come from the socket itself.
 */
#include "fixture/net.h"
#include "fixture/test_mailbox.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fdrecv_handoff *const handoff = &mailbox.handoff;

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Receives fd (borrows it) into a structure full of other bytes, and checks
 * the fields that are the same for all. */
static void
receive(int fd, enum fdrecv_kind kind)
{
	int64_t before, accepted;

	ck_assert_int_eq(net_send(mailbox.sender, "x", 1, &fd, 1), 1);
	memset(handoff, 0xaa, sizeof(*handoff));
	handoff->size = sizeof(*handoff);
	before = now_ns();
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, handoff), 1);
	accepted = handoff->accepted.tv_sec * INT64_C(1000000000) +
	    handoff->accepted.tv_nsec;
	ck_assert_int_ge(accepted, before);
	ck_assert_int_le(accepted, now_ns());
	ck_assert_uint_eq(handoff->size, sizeof(*handoff));
	ck_assert(net_is_same(handoff->fd, fd));
	ck_assert_int_eq(handoff->kind, kind);
	ck_assert_str_eq(handoff->listener, "");
	ck_assert_str_eq(handoff->label, "");
	ck_assert_uint_eq(handoff->endpoint_index, 0);
	ck_assert_uint_eq(handoff->endpoint_count, 1);
	ck_assert_uint_eq(handoff->redeliveries, 0);
	fdrecv_done(mailbox.fdrecv, handoff);
}

static void
expect_nobody(void)
{
	ck_assert_int_eq(handoff->pid, -1);
	ck_assert_uint_eq(handoff->uid, (uid_t)-1);
	ck_assert_uint_eq(handoff->gid, (gid_t)-1);
}

/* The address is the one that like is bound to. */
static void
expect_address(
    const struct sockaddr_storage *address, socklen_t length, int like)
{
	struct sockaddr_storage own = {0};
	socklen_t size = sizeof(own);

	ck_assert_int_eq(getsockname(like, (struct sockaddr *)&own, &size), 0);
	ck_assert_uint_eq(length, size);
	ck_assert_mem_eq(address, &own, size);
}

static int
has_ipv6(void)
{
	const struct sockaddr_in6 any = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd == -1)
		return 0;
	result = bind(fd, (const struct sockaddr *)&any, sizeof(any));
	close(fd);
	return result == 0;
}

static const int families[] = {AF_INET, AF_INET6};

START_TEST(of_a_tcp_connection_both_addresses)
{
	struct net_pair pair;

	if (families[_i] == AF_INET6 && !has_ipv6()) {
		unit_skip("no IPv6 on loopback");
		return;
	}
	test_mailbox_open(&mailbox, 0);
	net_pair(&pair, families[_i]);
	receive(pair.server, FDRECV_CONNECTION);
	ck_assert_int_eq(handoff->peer.ss_family, families[_i]);
	expect_address(&handoff->peer, handoff->peer_length, pair.client);
	expect_address(&handoff->local, handoff->local_length, pair.listener);
	expect_nobody();
	receive(pair.listener, FDRECV_LISTENER);
	ck_assert_uint_eq(handoff->peer_length, 0);
	expect_address(&handoff->local, handoff->local_length, pair.listener);
	expect_nobody();
	net_pair_close(&pair);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(of_a_connection_that_was_reset_only_the_local_address)
{
	struct net_pair pair;

	test_mailbox_open(&mailbox, 0);
	net_pair(&pair, AF_INET);
	net_reset(pair.client);
	receive(pair.server, FDRECV_CONNECTION);
	ck_assert_uint_eq(handoff->peer_length, 0);
	expect_address(&handoff->local, handoff->local_length, pair.listener);
	expect_nobody();
	close(pair.listener);
	close(pair.server);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(of_a_udp_socket_what_it_is_bound_to)
{
	const struct sockaddr_in any = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(
	    bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	test_mailbox_open(&mailbox, 0);
	receive(fd, FDRECV_DATAGRAM);
	ck_assert_uint_eq(handoff->peer_length, 0);
	expect_address(&handoff->local, handoff->local_length, fd);
	expect_nobody();
	close(fd);
	test_mailbox_close(&mailbox);
}
END_TEST

/* The client of a local socket: another process and, if possible, another
 * user. */
static void
connect_to(void *path)
{
	const struct sockaddr_un own = {.sun_family = AF_UNIX};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int type = strstr(path, "stream") ? SOCK_STREAM : SOCK_SEQPACKET;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (geteuid() == 0) {
		unit_must(setresgid(60593, 60593, 60593) == 0);
		unit_must(setresuid(60592, 60592, 60592) == 0);
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", (const char *)path);
	if (strstr(path, "named")) /* the kernel chooses an abstract name */
		unit_must(bind(fd, (const struct sockaddr *)&own,
			      sizeof(sa_family_t)) == 0);
	unit_must(connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
}

static const char *const clients[] = {
    "stream", "seqpacket", "stream-named", "seqpacket-named"};

START_TEST(of_a_local_connection_who_connected)
{
	int named = strstr(clients[_i], "named") != NULL;
	char path[128];
	int listener, server;
	pid_t pid;

	snprintf(path, sizeof(path), "%s", unit_path(clients[_i]));
	listener = net_bind(
	    path, strstr(clients[_i], "stream") ? SOCK_STREAM : SOCK_SEQPACKET);
	ck_assert_int_eq(chmod(path, 0666), 0);
	pid = unit_fork(connect_to, path);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_eq(unit_reap(pid, 0), 0);
	test_mailbox_open(&mailbox, 0);
	receive(server, FDRECV_CONNECTION);
	ck_assert_int_eq(handoff->pid, pid);
	ck_assert_uint_eq(handoff->uid, geteuid() == 0 ? 60592 : geteuid());
	ck_assert_uint_eq(handoff->gid, geteuid() == 0 ? 60593 : getegid());
	ck_assert_int_eq(handoff->peer.ss_family, AF_UNIX);
	/* Five hexadecimal digits after a NUL, see unix(7). */
	ck_assert_uint_eq(
	    handoff->peer_length, sizeof(sa_family_t) + (named ? 6 : 0));
	expect_address(&handoff->local, handoff->local_length, listener);
	receive(listener, FDRECV_LISTENER);
	ck_assert_uint_eq(handoff->peer_length, 0);
	expect_address(&handoff->local, handoff->local_length, listener);
	expect_nobody();
	close(listener);
	close(server);
	test_mailbox_close(&mailbox);
}
END_TEST

START_TEST(of_a_local_datagram_socket_nobody)
{
	int fd = net_bind(unit_path("datagrams"), SOCK_DGRAM);

	test_mailbox_open(&mailbox, 0);
	receive(fd, FDRECV_DATAGRAM);
	ck_assert_uint_eq(handoff->peer_length, 0);
	expect_address(&handoff->local, handoff->local_length, fd);
	expect_nobody();
	close(fd);
	test_mailbox_close(&mailbox);
}
END_TEST

UNIT_SUITE(fdrecv_record)
{
	TCase *tc = unit_case(suite, "fdrecv_record");

	tcase_add_loop_test(tc, of_a_tcp_connection_both_addresses, 0,
	    (int)UNIT_COUNT(families));
	tcase_add_test(
	    tc, of_a_connection_that_was_reset_only_the_local_address);
	tcase_add_test(tc, of_a_udp_socket_what_it_is_bound_to);
	tcase_add_loop_test(tc, of_a_local_connection_who_connected, 0,
	    (int)UNIT_COUNT(clients));
	tcase_add_test(tc, of_a_local_datagram_socket_nobody);
}
