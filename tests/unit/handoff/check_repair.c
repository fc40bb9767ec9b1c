/* SPDX-License-Identifier: ISC */
/*
 * Bound sockets that a program has changed: what can be put right is right
 * afterwards, and a socket that nobody has changed stays as it is.
 */
#include "fixture/unit.h"

#include "base/fd.h"

#include "fixture/net.h"
#include "fixture/record_sample.h"

#include "engine/handoff/repair.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORT 61590

static char text[REPAIR_TEXT_SIZE];

static const uint32_t kinds[] = {RECORD_TCP, RECORD_UDP, RECORD_UNIX_STREAM,
    RECORD_UNIX_DGRAM, RECORD_UNIX_SEQPACKET};

/* Binds a socket as the monitor does. */
static int
bind_record(const struct record *record)
{
	const struct record_socket *sock = &record->u.socket;
	int fd = socket(sock->address.ss_family,
	    record_socket_type(sock->kind) | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (sock->kind == RECORD_TCP)
		ck_assert_int_eq(
		    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)),
		    0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sock->address,
			     sock->address_length),
	    0);
	if (record_has_connections(sock))
		ck_assert_int_eq(listen(fd, (int)sock->backlog), 0);
	return fd;
}

static struct record
record_of(uint32_t kind)
{
	char name[64];
	struct record record;

	snprintf(name, sizeof(name), "@repair-%d", (int)getpid());
	record = kind >= RECORD_UNIX_STREAM ?
	    record_sample_unix(kind, name) :
	    record_sample_inet(kind, net_own_address("90"), PORT);
	record.u.socket.flags = kind == RECORD_TCP ? RECORD_REUSEADDR : 0;
	return record;
}

static struct repair_models models;

static enum repair_result
repair(const struct record *record, int fd, int all)
{
	repair_models_read(&models);
	return repair_socket(
	    &record->u.socket, 1, fd, all ? &models : NULL, text);
}

START_TEST(what_nobody_has_changed_is_right)
{
	struct record record = record_of(kinds[_i]);
	int fd = bind_record(&record), client = -1;

	if (record_has_connections(&record.u.socket))
		client = net_connect(fd);
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_RIGHT);
	ck_assert_str_eq(text, "");
	fd_close(client);
	close(fd);
}
END_TEST

static void
assert_served(int fd)
{
	int client = net_connect(fd);
	int server = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	ck_assert_int_ne(server, -1);
	ck_assert_int_eq(write(client, "x", 1), 1);
	ck_assert(net_polls(server, POLLIN));
	ck_assert_int_eq(read(server, &byte, 1), 1);
	close(client);
	close(server);
}

/* Once, twice, and then connected to somebody. */
START_TEST(a_tcp_socket_that_was_shut_down_listens_again)
{
	struct record record = record_of(RECORD_TCP);
	int fd = bind_record(&record), other = net_listen(AF_INET);
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	shutdown(fd, SHUT_RDWR);
	if (_i > 0)
		shutdown(fd, SHUT_RDWR);
	if (_i > 1) {
		getsockname(other, (struct sockaddr *)&address, &size);
		connect(fd, (struct sockaddr *)&address, size);
	}
	ck_assert_int_eq(repair(&record, fd, 0), REPAIR_DONE);
	ck_assert_str_eq(text, "shut down");
	assert_served(fd);
	ck_assert_int_eq(repair(&record, fd, 0), REPAIR_RIGHT);
	close(other);
	close(fd);
}
END_TEST

START_TEST(a_backlog_is_put_right)
{
	struct record record = record_of(RECORD_TCP);
	int fd = bind_record(&record);

	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(repair(&record, fd, 0), REPAIR_DONE);
	ck_assert_str_eq(text, "its backlog");
	close(fd);
}
END_TEST

/* For reading, or altogether. */
START_TEST(a_local_socket_that_was_shut_down_is_dead)
{
	struct record record = record_of(kinds[2 + _i / 2]);
	int fd = bind_record(&record);

	ck_assert_int_eq(shutdown(fd, _i % 2 ? SHUT_RDWR : SHUT_RD), 0);
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_DEAD);
	ck_assert_str_eq(text, "shut down");
	close(fd);
}
END_TEST

/* UDP as well, although shutdown(2) fails there. */
START_TEST(a_udp_socket_that_was_shut_down_is_dead)
{
	struct record record = record_of(RECORD_UDP);
	int fd = bind_record(&record);

	shutdown(fd, SHUT_RDWR);
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_DEAD);
	close(fd);
}
END_TEST

START_TEST(a_datagram_socket_is_connected_to_nobody)
{
	struct record record = record_of(_i ? RECORD_UNIX_DGRAM : RECORD_UDP);
	const struct record_socket *sock = &record.u.socket;
	struct sockaddr_storage bound = {0};
	socklen_t size = sizeof(bound);
	int fd = bind_record(&record);

	/* It talks to itself. */
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sock->address,
			     sock->address_length),
	    0);
	ck_assert_int_eq(repair(&record, fd, 0), REPAIR_DONE);
	ck_assert_str_eq(text, "connected");
	ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&bound, &size), -1);
	size = sizeof(bound);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
	ck_assert_uint_eq(size, sock->address_length);
	ck_assert_mem_eq(&bound, &sock->address, size);
	close(fd);
}
END_TEST

static const struct {
	uint32_t kind;
	int level;
	int name;
	int value; /* the first half of a struct timeval or linger, too */
	socklen_t size;
	const char *text;
} options[] = {
    {RECORD_TCP, SOL_SOCKET, SO_REUSEADDR, 0, 4, "SO_REUSEADDR"},
    {RECORD_TCP, SOL_SOCKET, SO_KEEPALIVE, 1, 4, "SO_KEEPALIVE"},
    {RECORD_TCP, SOL_SOCKET, SO_LINGER, 1, 8, "SO_LINGER"},
    {RECORD_TCP, SOL_SOCKET, SO_RCVTIMEO, 1, 16, "SO_RCVTIMEO"},
    {RECORD_UNIX_STREAM, SOL_SOCKET, SO_RCVTIMEO, 1, 16, "SO_RCVTIMEO"},
    {RECORD_UDP, SOL_SOCKET, SO_SNDTIMEO, 1, 16, "SO_SNDTIMEO"},
    {RECORD_TCP, SOL_SOCKET, SO_RCVBUF, 4096, 4, "SO_RCVBUF, SO_BUF_LOCK"},
    {RECORD_UDP, SOL_SOCKET, SO_SNDBUF, 9000, 4, "SO_SNDBUF, SO_BUF_LOCK"},
    {RECORD_UNIX_DGRAM, SOL_SOCKET, SO_PASSCRED, 1, 4, "SO_PASSCRED"},
    {RECORD_TCP, IPPROTO_TCP, TCP_DEFER_ACCEPT, 9, 4, "TCP_DEFER_ACCEPT"},
    {RECORD_TCP, IPPROTO_TCP, TCP_NODELAY, 1, 4, "TCP_NODELAY"},
    {RECORD_TCP, IPPROTO_TCP, TCP_KEEPIDLE, 9, 4, "TCP_KEEPIDLE"},
    {RECORD_TCP, IPPROTO_TCP, TCP_MAXSEG, 600, 4, "TCP_MAXSEG"},
    {RECORD_TCP, IPPROTO_IP, IP_MINTTL, 255, 4, "IP_MINTTL"},
    {RECORD_UDP, IPPROTO_IP, IP_PKTINFO, 1, 4, "IP_PKTINFO"},
    {RECORD_UDP, IPPROTO_IP, IP_MULTICAST_TTL, 9, 4, "IP_MULTICAST_TTL"},
    {RECORD_UDP, IPPROTO_IP, IP_OPTIONS, 0x01010101, 4, "IP_OPTIONS"},
    {RECORD_TCP, IPPROTO_IP, IP_OPTIONS, 0, 4, "IP_OPTIONS"},
};

START_TEST(an_option_is_put_right)
{
	struct record record = record_of(options[_i].kind);
	int value[4] = {options[_i].value}, before[4] = {0}, after[4] = {0};
	socklen_t size = sizeof(before);
	int fd = bind_record(&record);

	getsockopt(fd, options[_i].level, options[_i].name, before, &size);
	ck_assert_int_eq(setsockopt(fd, options[_i].level, options[_i].name,
			     value, options[_i].size),
	    0);
	/* A program that has the socket may depend on it. */
	ck_assert_int_eq(repair(&record, fd, 0), REPAIR_RIGHT);
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_DONE);
	ck_assert_str_eq(text, options[_i].text);
	size = sizeof(after);
	getsockopt(fd, options[_i].level, options[_i].name, after, &size);
	ck_assert_mem_eq(after, before, sizeof(after));
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_RIGHT);
	close(fd);
}
END_TEST

/* A socket that listens cannot be without one again. */
START_TEST(a_clamp_of_the_window_is_lifted)
{
	struct record record = record_of(RECORD_TCP);
	int fd = bind_record(&record), clamp = 1;
	socklen_t size = sizeof(clamp);

	ck_assert_int_eq(
	    setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &clamp, size), 0);
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_DONE);
	ck_assert_str_eq(text, "TCP_WINDOW_CLAMP");
	getsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &clamp, &size);
	ck_assert_int_eq(clamp, 65535 << 14);
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_RIGHT);
	close(fd);
}
END_TEST

START_TEST(the_options_of_the_configuration_stay)
{
	struct record record = record_of(RECORD_TCP);
	const int on = 1, off = 0;
	int fd = bind_record(&record);

	record.u.socket.flags |=
	    RECORD_KEEPALIVE | RECORD_NODELAY | RECORD_REUSEPORT;
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_RIGHT);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &off, sizeof(off));
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_DONE);
	ck_assert_str_eq(text, "SO_KEEPALIVE");
	close(fd);
}
END_TEST

/* One that drops everything; locked, it stays, and that is told. */
START_TEST(a_filter_is_detached)
{
	struct record record = record_of(RECORD_TCP);
	struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
	struct sock_fprog program = {1, &drop};
	const int on = 1;
	int fd = bind_record(&record);

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			     sizeof(program)),
	    0);
	if (_i)
		setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on));
	ck_assert_int_eq(
	    repair(&record, fd, 1), _i ? REPAIR_PARTIAL : REPAIR_DONE);
	ck_assert_str_eq(
	    text, _i ? "a socket filter (stays)" : "a socket filter");
	if (!_i)
		assert_served(fd);
	close(fd);
}
END_TEST

/* However many there are, those that stay are named first, and none is lost. */
START_TEST(all_that_was_changed_is_named)
{
	static const int names[][2] = {{SOL_SOCKET, SO_KEEPALIVE},
	    {SOL_SOCKET, SO_RCVLOWAT}, {SOL_SOCKET, SO_PRIORITY},
	    {SOL_SOCKET, SO_DONTROUTE}, {SOL_SOCKET, SO_OOBINLINE},
	    {SOL_SOCKET, SO_TIMESTAMP}, {SOL_SOCKET, SO_RXQ_OVFL},
	    {SOL_SOCKET, SO_MAX_PACING_RATE}, {SOL_SOCKET, SO_NO_CHECK},
	    {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_CORK},
	    {IPPROTO_TCP, TCP_DEFER_ACCEPT}, {IPPROTO_TCP, TCP_KEEPIDLE},
	    {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT},
	    {IPPROTO_TCP, TCP_SYNCNT}, {IPPROTO_TCP, TCP_LINGER2},
	    {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_TCP, TCP_NOTSENT_LOWAT},
	    {IPPROTO_IP, IP_TTL}, {IPPROTO_IP, IP_MINTTL},
	    {IPPROTO_IP, IP_PKTINFO}, {IPPROTO_IP, IP_RECVERR},
	    {IPPROTO_IP, IP_RECVTOS}, {IPPROTO_IP, IP_RECVTTL}};
	static const char first[] = "a socket filter (stays), ";
	struct record record = record_of(RECORD_TCP);
	struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
	struct sock_fprog program = {1, &drop};
	const int value = 7, on = 1;
	size_t changed = 0, named = 0;
	int fd = bind_record(&record);

	for (size_t i = 0; i < UNIT_COUNT(names); i++)
		changed += setsockopt(fd, names[i][0], names[i][1], &value,
			       sizeof(value)) == 0;
	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on));
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_PARTIAL);
	ck_assert_int_eq(strncmp(text, first, sizeof(first) - 1), 0);
	for (const char *at = text; at != NULL; at = strchr(at + 1, ','))
		named++;
	ck_assert_uint_ge(named, changed);
	ck_assert_uint_gt(strlen(text), 256);
	ck_assert_ptr_null(strstr(text, "..."));
	close(fd);
}
END_TEST

/* A lent socket is as socket(2) makes it; the engine needs another one. */
START_TEST(the_flags_of_the_file_are_put_right)
{
	struct record record = record_of(RECORD_TCP);
	int fd = bind_record(&record);

	fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
	ck_assert_int_eq(repair(&record, fd, 0), REPAIR_RIGHT);
	ck_assert_int_eq(repair(&record, fd, 1), REPAIR_DONE);
	ck_assert_str_eq(text, "O_NONBLOCK, O_ASYNC");
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ASYNC), 0);
	ck_assert_int_eq(
	    repair_socket(&record.u.socket, 0, fd, &models, text), REPAIR_DONE);
	ck_assert_str_eq(text, "O_NONBLOCK");
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
}
END_TEST

UNIT_SUITE(repair)
{
	TCase *tc = unit_case(suite, "repair");

	tcase_add_loop_test(
	    tc, what_nobody_has_changed_is_right, 0, (int)UNIT_COUNT(kinds));
	tcase_add_loop_test(
	    tc, a_tcp_socket_that_was_shut_down_listens_again, 0, 3);
	tcase_add_test(tc, a_backlog_is_put_right);
	tcase_add_loop_test(
	    tc, a_local_socket_that_was_shut_down_is_dead, 0, 6);
	tcase_add_test(tc, a_udp_socket_that_was_shut_down_is_dead);
	tcase_add_loop_test(tc, a_datagram_socket_is_connected_to_nobody, 0, 2);
	tcase_add_loop_test(
	    tc, an_option_is_put_right, 0, (int)UNIT_COUNT(options));
	tcase_add_test(tc, a_clamp_of_the_window_is_lifted);
	tcase_add_test(tc, the_options_of_the_configuration_stay);
	tcase_add_loop_test(tc, a_filter_is_detached, 0, 2);
	tcase_add_test(tc, all_that_was_changed_is_named);
	tcase_add_test(tc, the_flags_of_the_file_are_put_right);
}
