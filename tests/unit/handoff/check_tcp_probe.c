/* SPDX-License-Identifier: ISC */
/*
 * What the kernel reports about a connection after something was done to it.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/handoff/tcp_probe.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* Actions on a connection whose server end a worker has.  Each returns when
 * both ends have noticed. */
typedef void deed(struct net_pair *);

static void
await(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	ck_assert_int_eq(poll(&pollfd, 1, 60000), 1);
}

static void
client_sends(struct net_pair *pair)
{
	ck_assert_int_eq(write(pair->client, "hello", 5), 5);
	await(pair->server, POLLIN);
}

static void
client_sends_urgently(struct net_pair *pair)
{
	ck_assert_int_eq(send(pair->client, "!", 1, MSG_OOB), 1);
	await(pair->server, POLLPRI);
}

static void
client_ends(struct net_pair *pair)
{
	ck_assert_int_eq(shutdown(pair->client, SHUT_WR), 0);
	await(pair->server, POLLRDHUP);
}

static void
client_resets(struct net_pair *pair)
{
	net_reset(pair->client);
	pair->client = net_connect(pair->listener); /* closed at the end */
	await(pair->server, POLLERR);
}

static void
worker_waits(struct net_pair *pair)
{
	const int on = 1;

	ck_assert(!net_polls(pair->server, POLLIN));
	ck_assert_int_eq(
	    setsockopt(pair->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)),
	    0);
}

static void
worker_peeks(struct net_pair *pair)
{
	char bytes[64];

	ck_assert_int_eq(recv(pair->server, bytes, sizeof(bytes), MSG_PEEK), 5);
}

static void
worker_reads_some(struct net_pair *pair)
{
	char bytes[2];

	ck_assert_int_eq(read(pair->server, bytes, sizeof(bytes)), 2);
}

static void
worker_reads_all(struct net_pair *pair)
{
	char bytes[64];

	ck_assert_int_eq(read(pair->server, bytes, sizeof(bytes)), 5);
}

static void
worker_drops_all(struct net_pair *pair)
{
	ck_assert_int_eq(recv(pair->server, NULL, 64, MSG_TRUNC), 5);
}

static void
worker_reads_urgent(struct net_pair *pair)
{
	char byte = 0;

	ck_assert_int_eq(recv(pair->server, &byte, 1, MSG_OOB), 1);
	ck_assert_int_eq(byte, '!');
}

static void
worker_reads_end(struct net_pair *pair)
{
	char byte;

	ck_assert_int_eq(read(pair->server, &byte, 1), 0);
}

static void
worker_writes(struct net_pair *pair)
{
	ck_assert_int_eq(write(pair->server, "x", 1), 1);
	await(pair->client, POLLIN);
}

/* Until the client's window and the buffer here are full. */
static void
worker_writes_much(struct net_pair *pair)
{
	static const char filling[65536];

	while (send(pair->server, filling, sizeof(filling), MSG_DONTWAIT) > 0)
		continue;
}

/* It is sent 200 ms later, see TCP_CORK in tcp(7). */
static void
worker_writes_to_itself(struct net_pair *pair)
{
	const int on = 1;

	ck_assert_int_eq(
	    setsockopt(pair->server, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)),
	    0);
	ck_assert_int_eq(write(pair->server, "x", 1), 1);
}

static void
worker_ends(struct net_pair *pair)
{
	ck_assert_int_eq(shutdown(pair->server, SHUT_WR), 0);
	await(pair->client, POLLRDHUP);
}

static void
worker_listens_no_more(struct net_pair *pair)
{
	ck_assert_int_eq(shutdown(pair->server, SHUT_RD), 0);
}

static const struct {
	deed *deeds[3];
	enum touched touched;
} connections[] = {
    {{NULL}, TOUCHED_NO},
    {{worker_waits}, TOUCHED_NO},
    {{client_sends}, TOUCHED_NO},
    {{client_sends, worker_peeks}, TOUCHED_NO},
    {{client_ends}, TOUCHED_NO},
    {{client_ends, worker_reads_end},
	TOUCHED_NO}, /* the next one can read it too */
    {{client_sends, client_ends}, TOUCHED_NO},
    {{client_sends, client_ends, worker_peeks}, TOUCHED_NO},
    {{client_sends_urgently}, TOUCHED_PERHAPS}, /* it does not count */
    {{client_sends, client_sends_urgently}, TOUCHED_PERHAPS},
    {{client_sends_urgently, worker_reads_urgent}, TOUCHED_PERHAPS},
    {{client_sends_urgently, client_ends}, TOUCHED_PERHAPS},
    {{client_sends, worker_reads_some}, TOUCHED_PERHAPS},
    {{client_sends, worker_reads_all}, TOUCHED_PERHAPS},
    {{client_sends, worker_drops_all}, TOUCHED_PERHAPS},
    {{client_sends, client_ends, worker_reads_some}, TOUCHED_PERHAPS},
    {{client_sends, client_ends, worker_reads_all}, TOUCHED_PERHAPS},
    {{client_sends, worker_reads_all, client_ends}, TOUCHED_PERHAPS},
    {{client_sends, worker_reads_all, client_sends}, TOUCHED_PERHAPS},
    {{worker_writes}, TOUCHED_PERHAPS},
    {{client_sends, worker_writes}, TOUCHED_PERHAPS},
    {{client_ends, worker_writes}, TOUCHED_PERHAPS},
    {{worker_writes_much}, TOUCHED_PERHAPS},
    {{worker_writes_to_itself}, TOUCHED_PERHAPS},
    {{client_ends, worker_writes_to_itself}, TOUCHED_PERHAPS},
    {{worker_ends}, TOUCHED_PERHAPS},
    {{worker_ends, client_ends}, TOUCHED_CLOSED}, /* it is over */
    {{client_ends, worker_ends}, TOUCHED_CLOSED},
    {{client_sends, worker_ends}, TOUCHED_PERHAPS},
    {{worker_listens_no_more}, TOUCHED_PERHAPS},
    {{client_sends, worker_listens_no_more}, TOUCHED_PERHAPS},
    {{client_resets}, TOUCHED_CLOSED},
    {{client_sends, client_resets}, TOUCHED_CLOSED},
    {{client_ends, client_resets}, TOUCHED_CLOSED},
    {{worker_writes, client_resets}, TOUCHED_CLOSED},
};

static enum touched
look(uint32_t kind, int fd)
{
	const struct record_endpoint record = {.socket.kind = kind};
	const struct handoff handoff = {.endpoint = &record, .fd = fd};

	return tcp_probe_touched(&handoff);
}

/* The engine has its own descriptor, and the worker's is closed. */
static void
judge(int family, int which)
{
	struct net_pair pair;
	int engine;

	net_pair(&pair, family);
	engine = fcntl(pair.server, F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; i < UNIT_COUNT(connections[which].deeds); i++)
		if (connections[which].deeds[i] != NULL)
			connections[which].deeds[i](&pair);
	close(pair.server);
	pair.server = engine;
	ck_assert_int_eq(look(RECORD_TCP, engine), connections[which].touched);
	net_pair_close(&pair);
}

START_TEST(the_kernel_tells_what_was_done)
{
	judge(AF_INET, _i);
}
END_TEST

START_TEST(the_kernel_tells_it_of_ipv6_too)
{
	if (net_has_ipv6())
		judge(AF_INET6, _i);
	else
		unit_skip("no IPv6 on loopback");
}
END_TEST

START_TEST(a_local_socket_without_a_receipt_was_not_touched)
{
	static const uint32_t kinds[] = {
	    RECORD_UNIX_STREAM, RECORD_UNIX_SEQPACKET};
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(write(ends[0], "x", 1), 1);
	for (size_t i = 0; i < UNIT_COUNT(kinds); i++)
		ck_assert_int_eq(look(kinds[i], ends[0]), TOUCHED_NO);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Even after an answer about another one. */
START_TEST(without_an_answer_a_connection_may_have_been_touched)
{
	struct net_pair pair;
	int ends[2];

	net_pair(&pair, AF_INET);
	ck_assert_int_eq(look(RECORD_TCP, pair.server), TOUCHED_NO);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(look(RECORD_TCP, ends[0]), TOUCHED_PERHAPS);
	ck_assert_int_eq(look(RECORD_TCP, pair.server), TOUCHED_NO);
	ck_assert_int_eq(look(RECORD_TCP, -1), TOUCHED_PERHAPS);
	net_pair_close(&pair);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* While closes are limited, signals interrupt poll(2). */
START_TEST(a_signal_decides_nothing)
{
	struct net_pair pair;

	net_pair(&pair, AF_INET);
	fd_limit_close(200);
	for (int i = 0; i < 20000; i++)
		ck_assert_int_eq(look(RECORD_TCP, pair.server), TOUCHED_NO);
	fd_limit_close(0);
	net_pair_close(&pair);
}
END_TEST

UNIT_SUITE(tcp_probe)
{
	TCase *tc = unit_case(suite, "tcp probe");

	tcase_add_loop_test(tc, the_kernel_tells_what_was_done, 0,
	    (int)UNIT_COUNT(connections));
	tcase_add_loop_test(tc, the_kernel_tells_it_of_ipv6_too, 0,
	    (int)UNIT_COUNT(connections));
	tcase_add_test(tc, a_local_socket_without_a_receipt_was_not_touched);
	tcase_add_test(
	    tc, without_an_answer_a_connection_may_have_been_touched);
	tcase_add_test(tc, a_signal_decides_nothing);
}
