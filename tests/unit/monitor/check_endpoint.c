/* SPDX-License-Identifier: ISC */
/*
 * Bound sockets of each kind, with the options that the record asks for, as
 * getsockopt(2) reports them; and the messages if the kernel refuses one.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/endpoint.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

static void
bind_well(struct endpoint *endpoint, const struct record *record)
{
	const char *wrong;

	*endpoint = (struct endpoint){.record = record, .fd = -1};
	ck_assert_ptr_null(record_check(record));
	wrong = endpoint_bind(endpoint);
	ck_assert_msg(wrong == NULL, "%s: %s", record->u.socket.name, wrong);
	ck_assert_int_ne(endpoint->fd, -1);
}

static const struct {
	uint32_t kind;
	const char *address; /* NULL: a path */
	int domain;
	int type;
	uint32_t handoff;
} kinds[] = {
    {RECORD_TCP, "127.0.0.1", AF_INET, SOCK_STREAM, RECORD_CONNECTION},
    {RECORD_TCP, "127.0.0.1", AF_INET, SOCK_STREAM, RECORD_LISTENER},
    {RECORD_TCP, "::1", AF_INET6, SOCK_STREAM, RECORD_CONNECTION},
    {RECORD_UDP, "127.0.0.1", AF_INET, SOCK_DGRAM, RECORD_LISTENER},
    {RECORD_UDP, "::1", AF_INET6, SOCK_DGRAM, RECORD_LISTENER},
    {RECORD_UNIX_STREAM, "@", AF_UNIX, SOCK_STREAM, RECORD_CONNECTION},
    {RECORD_UNIX_STREAM, "@", AF_UNIX, SOCK_STREAM, RECORD_LISTENER},
    {RECORD_UNIX_DGRAM, "@", AF_UNIX, SOCK_DGRAM, RECORD_LISTENER},
    {RECORD_UNIX_SEQPACKET, "@", AF_UNIX, SOCK_SEQPACKET, RECORD_CONNECTION},
    {RECORD_UNIX_STREAM, NULL, AF_UNIX, SOCK_STREAM, RECORD_CONNECTION},
    {RECORD_UNIX_DGRAM, NULL, AF_UNIX, SOCK_DGRAM, RECORD_LISTENER},
    {RECORD_UNIX_SEQPACKET, NULL, AF_UNIX, SOCK_SEQPACKET, RECORD_CONNECTION},
};

static struct record
kind_record(int i)
{
	struct record record;
	char name[64];

	if (kinds[i].domain != AF_UNIX) {
		record = record_sample_inet(kinds[i].kind, kinds[i].address, 0);
	} else {
		snprintf(name, sizeof(name), "@check-endpoint-%d", getpid());
		record = record_sample_unix(kinds[i].kind,
		    kinds[i].address != NULL ? name : unit_path("s"));
	}
	record.u.endpoint.handoff = kinds[i].handoff;
	return record;
}

/* A client can connect to exactly the address in the record. */
static void
reach(const struct endpoint *endpoint)
{
	const struct record *record = endpoint->record;
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	int client = net_connect(endpoint->fd), server = -1;
	char byte = 0;

	ck_assert_int_eq(
	    getsockname(endpoint->fd, (struct sockaddr *)&address, &size), 0);
	if (address.ss_family == AF_UNIX) {
		ck_assert_uint_eq(size, record->u.socket.address_length);
		ck_assert_mem_eq(&address, &record->u.socket.address, size);
	}
	if (record_has_connections(&record->u.socket)) {
		server = accept4(endpoint->fd, NULL, NULL, SOCK_CLOEXEC);
		ck_assert_int_ne(server, -1);
	}
	ck_assert_int_eq(send(client, "a", 1, MSG_NOSIGNAL), 1);
	ck_assert_int_eq(
	    recv(server != -1 ? server : endpoint->fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'a');
	fd_close(client);
	fd_close(server);
}

START_TEST(every_kind_is_bound_as_its_record_says)
{
	struct record record = kind_record(_i);
	int connections = kinds[_i].type != SOCK_DGRAM;
	struct endpoint endpoint;
	int fd;

	if (kinds[_i].domain == AF_INET6 && !net_has_ipv6()) {
		unit_skip("no IPv6 here");
		return;
	}
	bind_well(&endpoint, &record);
	fd = endpoint.fd;
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_DOMAIN), kinds[_i].domain);
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_TYPE), kinds[_i].type);
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_ACCEPTCONN), connections);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* Only the engine's own accept(2) must not block. */
	ck_assert_int_eq((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
	    kinds[_i].handoff == RECORD_CONNECTION);
	ck_assert_int_eq(endpoint.inode != 0,
	    kinds[_i].domain == AF_UNIX && kinds[_i].address == NULL);
	reach(&endpoint);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(endpoint.fd, -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(the_port_is_the_one_asked_for)
{
	int holder = net_listen(AF_INET);
	uint16_t port = net_port(holder);
	struct record record =
	    record_sample_inet(RECORD_TCP, "127.0.0.1", port);
	struct endpoint endpoint;

	fd_close(holder);
	bind_well(&endpoint, &record);
	ck_assert_uint_eq(net_port(endpoint.fd), port);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

START_TEST(the_backlog_is_the_one_asked_for)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 0);
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	struct endpoint endpoint;

	record.u.socket.backlog = 7;
	bind_well(&endpoint, &record);
	/* For a listening socket this field is the backlog, see ss(8). */
	ck_assert_int_eq(
	    getsockopt(endpoint.fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	ck_assert_uint_eq(info.tcpi_sacked, 7);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

static const struct {
	uint32_t flag;
	uint32_t kind;
	const char *address;
	int level;
	int name;
	int with;
	int without; /* -1: it depends on the system */
} options[] = {
    {RECORD_REUSEADDR, RECORD_TCP, "127.0.0.1", SOL_SOCKET, SO_REUSEADDR, 1, 0},
    {RECORD_REUSEPORT, RECORD_TCP, "127.0.0.1", SOL_SOCKET, SO_REUSEPORT, 1, 0},
    {RECORD_REUSEPORT, RECORD_UDP, "::1", SOL_SOCKET, SO_REUSEPORT, 1, 0},
    {RECORD_KEEPALIVE, RECORD_TCP, "127.0.0.1", SOL_SOCKET, SO_KEEPALIVE, 1, 0},
    {RECORD_NODELAY, RECORD_TCP, "127.0.0.1", IPPROTO_TCP, TCP_NODELAY, 1, 0},
    {RECORD_FREEBIND, RECORD_TCP, "127.0.0.1", IPPROTO_IP, IP_FREEBIND, 1, 0},
    {RECORD_FREEBIND, RECORD_UDP, "127.0.0.1", IPPROTO_IP, IP_FREEBIND, 1, 0},
    {RECORD_FREEBIND, RECORD_TCP, "::1", IPPROTO_IP, IP_FREEBIND, 1, 0},
    {RECORD_NODELAY, RECORD_TCP, "::1", IPPROTO_TCP, TCP_NODELAY, 1, 0},
    {RECORD_V6ONLY, RECORD_TCP, "::", IPPROTO_IPV6, IPV6_V6ONLY, 1, -1},
    {RECORD_V6ONLY, RECORD_UDP, "::", IPPROTO_IPV6, IPV6_V6ONLY, 1, -1},
    {RECORD_DUAL, RECORD_TCP, "::", IPPROTO_IPV6, IPV6_V6ONLY, 0, -1},
    {RECORD_DUAL, RECORD_UDP, "::", IPPROTO_IPV6, IPV6_V6ONLY, 0, -1},
    {RECORD_PASS_CREDENTIALS, RECORD_UNIX_STREAM, NULL, SOL_SOCKET, SO_PASSCRED,
	1, 0},
    {RECORD_PASS_CREDENTIALS, RECORD_UNIX_DGRAM, NULL, SOL_SOCKET, SO_PASSCRED,
	1, 0},
    {RECORD_PASS_SECURITY, RECORD_UNIX_STREAM, NULL, SOL_SOCKET, SO_PASSSEC, 1,
	0},
};

static struct record
option_record(int i, uint32_t flags)
{
	struct record record = options[i].address == NULL ?
	    record_sample_unix(options[i].kind, unit_path("s")) :
	    record_sample_inet(options[i].kind, options[i].address, 0);

	record.u.socket.flags = flags;
	return record;
}

/* Some kernels have no security labels. */
static int
is_missing(int level, int name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int missing = level == SOL_SOCKET && name == SO_PASSSEC &&
	    setsockopt(fd, level, name, &(int){1}, sizeof(int)) == -1;

	fd_close(fd);
	return missing;
}

START_TEST(an_option_is_set_when_it_is_asked_for_and_only_then)
{
	struct record with = option_record(_i, options[_i].flag);
	struct record without = option_record(_i, 0);
	struct endpoint endpoint;

	if (with.u.socket.address.ss_family == AF_INET6 && !net_has_ipv6()) {
		unit_skip("no IPv6 here");
		return;
	}
	if (is_missing(options[_i].level, options[_i].name)) {
		unit_skip("this kernel cannot set the option");
		return;
	}
	bind_well(&endpoint, &with);
	ck_assert_int_eq(
	    option(endpoint.fd, options[_i].level, options[_i].name),
	    options[_i].with);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	bind_well(&endpoint, &without);
	if (options[_i].without != -1)
		ck_assert_int_eq(
		    option(endpoint.fd, options[_i].level, options[_i].name),
		    options[_i].without);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

UNIT_SUITE(endpoint)
{
	TCase *tc = unit_case(suite, "endpoint");

	tcase_add_loop_test(tc, every_kind_is_bound_as_its_record_says, 0,
	    (int)UNIT_COUNT(kinds));
	tcase_add_test(tc, the_port_is_the_one_asked_for);
	tcase_add_test(tc, the_backlog_is_the_one_asked_for);
	tcase_add_loop_test(tc,
	    an_option_is_set_when_it_is_asked_for_and_only_then, 0,
	    (int)UNIT_COUNT(options));
}
