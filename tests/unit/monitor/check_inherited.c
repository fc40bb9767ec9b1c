/* SPDX-License-Identifier: ISC */
/*
 * Inherited sockets: only those that are bound exactly as the configuration
 * asks are taken, once each, whatever else was passed.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/inherited.h"

#include <sys/resource.h>

#include <netinet/in.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define PORT 61583
#define OWN "127.0.0." /* in a wish: of this process alone */
#define MANY 1000

struct wish {
	uint32_t kind;
	const char *address; /* "@": an abstract name of this process */
	uint16_t port;
	uint32_t handoff;
	uint32_t flags;
};

static struct record
wish_record(const struct wish *wish)
{
	const char *address = wish->address;
	struct record record;
	char name[64];

	if (strncmp(address, OWN, strlen(OWN)) == 0)
		address = net_own_address(address + strlen(OWN));
	if (wish->address[0] == '@') {
		snprintf(name, sizeof(name), "@check-inherited-%d%s",
		    (int)getpid(), wish->address + 1);
		record = record_sample_unix(wish->kind, name);
	} else {
		record = record_sample_inet(wish->kind, address, wish->port);
	}
	record.u.endpoint.handoff = wish->handoff;
	record.u.socket.flags = wish->flags;
	return record;
}

static void
bind_well(struct endpoint *endpoint, const struct record *record)
{
	*endpoint = (struct endpoint){.record = record, .fd = -1};
	ck_assert_ptr_null(endpoint_bind(endpoint));
}

static const struct wish wishes[] = {
    {RECORD_TCP, "127.0.0.83", PORT, RECORD_CONNECTION, RECORD_REUSEADDR},
    {RECORD_TCP, "127.0.0.83", PORT, RECORD_LISTENER, 0},
    {RECORD_UDP, "127.0.0.83", PORT, RECORD_LISTENER, 0},
    {RECORD_UNIX_STREAM, "@", 0, RECORD_CONNECTION, 0},
    {RECORD_UNIX_DGRAM, "@", 0, RECORD_LISTENER, 0},
    {RECORD_UNIX_SEQPACKET, "@", 0, RECORD_CONNECTION, 0},
    {RECORD_TCP, "::", PORT, RECORD_CONNECTION, RECORD_V6ONLY},
    {RECORD_TCP, "::", PORT, RECORD_CONNECTION, RECORD_DUAL},
};

/* Unknown and known sockets in turn. */
START_TEST(what_is_bound_as_wanted_is_taken_once)
{
	const struct wish *wish = &wishes[_i / 2];
	struct record record = wish_record(wish);
	struct inherited inherited = {.items = NULL};
	struct inherited_item *item;
	struct endpoint endpoint;
	const char *wrong = "unset";
	int fd;

	if (record.u.socket.address.ss_family == AF_INET6 && !net_has_ipv6()) {
		unit_skip("no IPv6 here");
		return;
	}
	bind_well(&endpoint, &record);
	fd = endpoint.fd;
	inherited_add(
	    &inherited, fd_steal(&endpoint.fd), _i % 2 ? &endpoint : NULL);
	item = inherited_find(&inherited, &record, &wrong);
	ck_assert_ptr_nonnull(item);
	ck_assert_ptr_null(wrong);
	ck_assert_int_eq(item->fd, fd);
	ck_assert_ptr_eq(item->origin, _i % 2 ? &endpoint : NULL);
	endpoint.fd = fd_steal(&item->fd);
	ck_assert_ptr_null(inherited_find(&inherited, &record, &wrong));
	ck_assert_ptr_null(wrong);
	inherited_done(&inherited);
	ck_assert_int_eq(fcntl(endpoint.fd, F_GETFD), FD_CLOEXEC);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

static const struct {
	struct wish has, wants;
	int known;         /* this one replaces the socket of the table */
	const char *wrong; /* NULL: any other socket */
} others[] = {
    {{RECORD_TCP, "127.0.0.83", PORT, RECORD_CONNECTION, 0},
	{RECORD_TCP, "127.0.0.84", PORT, RECORD_CONNECTION, 0}, 0, NULL},
    {{RECORD_TCP, "127.0.0.83", PORT, RECORD_CONNECTION, 0},
	{RECORD_TCP, "127.0.0.83", PORT + 1, RECORD_CONNECTION, 0}, 1, NULL},
    {{RECORD_TCP, "0.0.0.0", PORT, RECORD_CONNECTION, 0},
	{RECORD_TCP, "127.0.0.83", PORT, RECORD_CONNECTION, 0}, 0, NULL},
    {{RECORD_TCP, "0.0.0.0", PORT, RECORD_CONNECTION, 0},
	{RECORD_TCP, "::", PORT, RECORD_CONNECTION, 0}, 0, NULL},
    {{RECORD_TCP, "127.0.0.83", PORT, RECORD_LISTENER, 0},
	{RECORD_UDP, "127.0.0.83", PORT, RECORD_LISTENER, 0}, 1, NULL},
    {{RECORD_UDP, "127.0.0.83", PORT, RECORD_LISTENER, 0},
	{RECORD_TCP, "127.0.0.83", PORT, RECORD_LISTENER, 0}, 0, NULL},
    {{RECORD_UNIX_STREAM, "@", 0, RECORD_CONNECTION, 0},
	{RECORD_UNIX_SEQPACKET, "@", 0, RECORD_CONNECTION, 0}, 1, NULL},
    {{RECORD_UNIX_STREAM, "@", 0, RECORD_CONNECTION, 0},
	{RECORD_UNIX_STREAM, "@a", 0, RECORD_CONNECTION, 0}, 0, NULL},
    {{RECORD_UNIX_STREAM, "@a", 0, RECORD_CONNECTION, 0},
	{RECORD_UNIX_STREAM, "@", 0, RECORD_CONNECTION, 0}, 0, NULL},
    {{RECORD_TCP, "127.0.0.83", PORT, RECORD_LISTENER, 0},
	{RECORD_TCP, "127.0.0.83", PORT, RECORD_CONNECTION, 0}, 1,
	"its handoff cannot change"},
    {{RECORD_TCP, "::", PORT, RECORD_CONNECTION, RECORD_V6ONLY},
	{RECORD_TCP, "::", PORT, RECORD_CONNECTION, RECORD_DUAL}, 0,
	"the socket passed to brokerd has another v6only"},
    {{RECORD_TCP, "::", PORT, RECORD_CONNECTION, RECORD_DUAL},
	{RECORD_TCP, "::", PORT, RECORD_CONNECTION, RECORD_V6ONLY}, 1,
	"its v6only cannot change"},
};

START_TEST(what_differs_in_one_thing_is_not_taken)
{
	struct record has = wish_record(&others[_i].has);
	struct record wants = wish_record(&others[_i].wants);
	struct inherited inherited = {.items = NULL};
	const char *wrong = "unset";
	struct endpoint endpoint;

	if (has.u.socket.address.ss_family == AF_INET6 && !net_has_ipv6()) {
		unit_skip("no IPv6 here");
		return;
	}
	bind_well(&endpoint, &has);
	inherited_add(
	    &inherited, endpoint.fd, others[_i].known ? &endpoint : NULL);
	ck_assert_ptr_null(inherited_find(&inherited, &wants, &wrong));
	ck_assert_int_eq(wrong != NULL, others[_i].wrong != NULL);
	if (wrong != NULL)
		ck_assert_msg(
		    strstr(wrong, others[_i].wrong) != NULL, "%s", wrong);
	ck_assert_ptr_nonnull(inherited_find(&inherited, &has, &wrong));
	inherited_done(&inherited);
}
END_TEST

/* The same address with a protocol that is not configured. */
START_TEST(another_protocol_is_not_taken)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	static const int protocols[] = {IPPROTO_MPTCP, IPPROTO_UDPLITE};
	struct record record = wish_record(&wishes[_i * 2]);
	struct inherited inherited = {.items = NULL};
	const char *wrong;
	int fd = socket(AF_INET, types[_i] | SOCK_CLOEXEC, protocols[_i]);

	if (fd == -1) {
		unit_skip("this kernel has no such protocol");
		return;
	}
	ck_assert_int_eq(
	    bind(fd, (const struct sockaddr *)&record.u.socket.address,
		record.u.socket.address_length),
	    0);
	if (types[_i] == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 1), 0);
	inherited_add(&inherited, fd, NULL);
	ck_assert_ptr_null(inherited_find(&inherited, &record, &wrong));
	ck_assert_ptr_null(wrong);
	inherited_done(&inherited);
}
END_TEST

/* A worker may have shut down a socket that it was lent. */
START_TEST(a_stranger_that_does_not_listen_is_not_taken)
{
	struct record record = wish_record(&wishes[1]);
	struct endpoint of = {.record = &record};
	struct inherited inherited = {.items = NULL};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *wrong;

	ck_assert_int_eq(
	    bind(fd, (const struct sockaddr *)&record.u.socket.address,
		record.u.socket.address_length),
	    0);
	inherited_add(&inherited, fcntl(fd, F_DUPFD_CLOEXEC, 0), NULL);
	ck_assert_ptr_null(inherited_find(&inherited, &record, &wrong));
	inherited_add(&inherited, fd, &of);
	ck_assert_ptr_eq(
	    inherited_find(&inherited, &record, &wrong)->origin, &of);
	inherited_done(&inherited);
}
END_TEST

static void
network_body(void *argument)
{
	struct record record = wish_record(&wishes[0]);
	struct endpoint endpoint = {.record = &record, .fd = -1};
	struct inherited inherited = {.items = NULL};
	socklen_t size = sizeof(uint64_t);
	const char *wrong;
	uint64_t cookie;

	(void)argument;
	unit_must(endpoint_bind(&endpoint) == NULL);
	if (getsockopt(endpoint.fd, SOL_SOCKET, 71, &cookie, &size) == -1) {
		unit_skipped("another network", "the kernel is before 5.14");
		return;
	}
	unit_must(unshare(CLONE_NEWNET) == 0);
	inherited_add(&inherited, endpoint.fd, NULL);
	unit_must(inherited_find(&inherited, &record, &wrong) == NULL);
	inherited_done(&inherited);
}

START_TEST(a_socket_of_another_network_is_not_taken)
{
	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(network_body, NULL);
}
END_TEST

static void
many_body(void *argument)
{
	static struct record records[MANY];
	struct inherited inherited = {.items = NULL};
	struct rlimit limit;
	const char *wrong;
	char name[64];
	int fds[MANY];

	(void)argument;
	unit_must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	unit_must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "@many-%d-%d", (int)getpid(), i);
		records[i] = record_sample_unix(RECORD_UNIX_STREAM, name);
		fds[i] = net_bind(name, SOCK_STREAM);
		inherited_add(&inherited, fds[i], NULL);
	}
	for (int i = MANY; i-- > 0;)
		unit_must(inherited_find(&inherited, &records[i], &wrong)->fd ==
		    fds[i]);
	inherited_done(&inherited);
	for (int i = 0; i < MANY; i++)
		unit_must(fcntl(fds[i], F_GETFD) == -1);
}

START_TEST(each_of_many_is_found)
{
	unit_in_child(many_body, NULL);
}
END_TEST

UNIT_SUITE(inherited)
{
	TCase *tc = unit_case(suite, "sockets");

	tcase_add_loop_test(tc, what_is_bound_as_wanted_is_taken_once, 0,
	    2 * (int)UNIT_COUNT(wishes));
	tcase_add_loop_test(tc, what_differs_in_one_thing_is_not_taken, 0,
	    (int)UNIT_COUNT(others));
	tcase_add_loop_test(tc, another_protocol_is_not_taken, 0, 2);
	tcase_add_test(tc, a_stranger_that_does_not_listen_is_not_taken);
	tcase_add_test(tc, a_socket_of_another_network_is_not_taken);
	tcase_add_test(tc, each_of_many_is_found);
}
