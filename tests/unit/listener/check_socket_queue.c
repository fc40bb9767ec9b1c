/* SPDX-License-Identifier: ISC */
/*
 * What the kernel tells of the queues of bound sockets.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "engine/listener/socket_queue.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#define BACKLOG 2

static struct socket_queue
ask(struct socket_diag *diag, enum record_kind kind, int fd)
{
	struct record_socket sock = {.kind = kind};
	struct socket_queue queue;

	socket_queue_ask(diag, &sock, fd, &queue);
	return queue;
}

/* One connection more than the backlog fits; what comes then is dropped, and
 * comes again. */
START_TEST(a_tcp_queue_is_counted_and_what_it_dropped)
{
	int listener = net_listen(AF_INET), clients[BACKLOG + 3];
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	struct socket_queue queue;

	ck_assert_int_eq(listen(listener, BACKLOG), 0);
	queue = ask(NULL, RECORD_TCP, listener);
	ck_assert(queue.is_known && !queue.waits && queue.counts_drops);
	ck_assert_uint_eq(queue.size, 0);
	ck_assert_uint_eq(queue.limit, BACKLOG);
	ck_assert_uint_eq(queue.drops, 0);
	ck_assert_int_eq(
	    getsockname(listener, (struct sockaddr *)&address, &length), 0);
	for (size_t i = 0; i < UNIT_COUNT(clients); i++) {
		clients[i] = socket(AF_INET,
		    SOCK_STREAM | SOCK_CLOEXEC |
			(i > BACKLOG ? SOCK_NONBLOCK : 0),
		    0);
		connect(clients[i], (struct sockaddr *)&address, length);
	}
	queue = ask(NULL, RECORD_TCP, listener);
	ck_assert(queue.waits);
	ck_assert_uint_eq(queue.size, BACKLOG + 1);
	ck_assert_uint_ge(queue.drops, UNIT_COUNT(clients) - BACKLOG - 1);
	ck_assert_int_eq(shutdown(listener, SHUT_RD), 0);
	queue = ask(NULL, RECORD_TCP, listener);
	ck_assert(!queue.waits && !queue.is_known);
	for (size_t i = 0; i < UNIT_COUNT(clients); i++)
		close(clients[i]);
	close(listener);
}
END_TEST

/* Its queue is known to the kernel's socket diagnosis alone. */
START_TEST(a_local_queue_is_counted_if_the_kernel_may_be_asked)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
	enum record_kind kind =
	    _i == 0 ? RECORD_UNIX_STREAM : RECORD_UNIX_SEQPACKET;
	int listener = net_bind(unit_path("socket"), types[_i]), client;
	struct socket_diag diag = {.fd = -1};
	struct socket_queue queue;

	ck_assert_int_eq(listen(listener, BACKLOG), 0);
	client = net_reach(unit_path("socket"), types[_i]);
	ck_assert_int_ne(client, -1);
	queue = ask(&diag, kind, listener);
	ck_assert(queue.waits && !queue.is_known && !queue.counts_drops);
	socket_diag_open(&diag);
	ck_assert_int_ne(diag.fd, -1);
	queue = ask(&diag, kind, listener);
	ck_assert(queue.waits && queue.is_known);
	ck_assert_uint_eq(queue.size, 1);
	ck_assert_uint_eq(queue.limit, BACKLOG);
	close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	queue = ask(&diag, kind, listener);
	ck_assert(!queue.waits && queue.is_known);
	ck_assert_int_eq(shutdown(listener, SHUT_RD), 0);
	ck_assert(!ask(&diag, kind, listener).waits);
	ck_assert(!ask(NULL, kind, listener).waits);
	socket_diag_close(&diag);
	close(client);
	close(listener);
}
END_TEST

START_TEST(datagrams_are_counted_in_bytes_and_what_was_dropped)
{
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), client;
	struct sockaddr_storage address = {.ss_family = AF_INET};
	socklen_t length = sizeof(struct sockaddr_in);
	struct socket_queue queue;
	char bytes[512] = "";

	ck_assert_int_eq(
	    bind(receiver, (struct sockaddr *)&address, length), 0);
	queue = ask(NULL, RECORD_UDP, receiver);
	ck_assert(queue.is_known && !queue.waits && queue.counts_drops);
	client = net_connect(receiver);
	ck_assert_int_eq(send(client, bytes, sizeof(bytes), 0), sizeof(bytes));
	queue = ask(NULL, RECORD_UDP, receiver);
	ck_assert(queue.waits);
	ck_assert_uint_ge(queue.size, sizeof(bytes));
	ck_assert_uint_eq(queue.drops, 0);
	for (uint32_t used = 0; used < queue.limit; used += sizeof(bytes))
		send(client, bytes, sizeof(bytes), 0);
	ck_assert_uint_gt(ask(NULL, RECORD_UDP, receiver).drops, 0);
	close(client);
	close(receiver);
}
END_TEST

START_TEST(of_local_datagrams_it_is_known_that_some_wait)
{
	int receiver = net_bind(unit_path("socket"), SOCK_DGRAM), client;

	ck_assert(!ask(NULL, RECORD_UNIX_DGRAM, receiver).waits);
	client = net_reach(unit_path("socket"), SOCK_DGRAM);
	ck_assert_int_eq(send(client, "x", 1, 0), 1);
	ck_assert(ask(NULL, RECORD_UNIX_DGRAM, receiver).waits);
	ck_assert(!ask(NULL, RECORD_UNIX_DGRAM, receiver).is_known);
	close(client);
	close(receiver);
}
END_TEST

START_TEST(a_size_has_a_unit)
{
	static const char *const units[] = {
	    [RECORD_TCP] = "connections",
	    [RECORD_UDP] = "bytes",
	    [RECORD_UNIX_STREAM] = "connections",
	    [RECORD_UNIX_DGRAM] = "datagrams",
	    [RECORD_UNIX_SEQPACKET] = "connections",
	};

	for (uint32_t kind = RECORD_TCP; kind < UNIT_COUNT(units); kind++)
		ck_assert_str_eq(
		    socket_queue_unit(&(struct record_socket){.kind = kind}),
		    units[kind]);
}
END_TEST

UNIT_SUITE(socket_queue)
{
	TCase *tc = unit_case(suite, "socket_queue");

	tcase_add_test(tc, a_tcp_queue_is_counted_and_what_it_dropped);
	tcase_add_loop_test(
	    tc, a_local_queue_is_counted_if_the_kernel_may_be_asked, 0, 2);
	tcase_add_test(tc, datagrams_are_counted_in_bytes_and_what_was_dropped);
	tcase_add_test(tc, of_local_datagrams_it_is_known_that_some_wait);
	tcase_add_test(tc, a_size_has_a_unit);
}
