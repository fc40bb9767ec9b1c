/* SPDX-License-Identifier: ISC */
/*
 * Addresses that cannot be bound, or only with an option.  The message says
 * why, errno is kept, and no descriptor stays open.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/endpoint.h"
#include "monitor/privilege.h"
#include "monitor/table.h"

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ORDINARY_UID 60592
#define TAKEN                                                          \
	"the address is taken: another program listens there (it may " \
	"have been lent the socket), an engine still drains, or a "    \
	"passed socket differs (v6only of [::])"

/* Returns the message of endpoint_bind() about record, and closes the socket
 * if it made one. */
static const char *
refusal(const struct record *record)
{
	struct endpoint endpoint = {.record = record, .fd = -1};
	const char *wrong = endpoint_bind(&endpoint);
	int saved = errno;

	if (wrong == NULL)
		endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(endpoint.fd, -1);
	errno = saved;
	return wrong;
}

static const struct {
	uint32_t kind;
	int family;
	int type;
} taken[] = {
    {RECORD_TCP, AF_INET, SOCK_STREAM},
    {RECORD_TCP, AF_INET6, SOCK_STREAM},
    {RECORD_UDP, AF_INET, SOCK_DGRAM},
    {RECORD_UNIX_STREAM, AF_UNIX, SOCK_STREAM},
    {RECORD_UNIX_DGRAM, AF_UNIX, SOCK_DGRAM},
};

/* Gives a socket that is bound to an address, and a record of the same
 * address. */
static int
take(int i, struct record *out_record)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char name[64];
	int fd;

	if (taken[i].family == AF_UNIX) {
		snprintf(name, sizeof(name), "@check-refused-%d", getpid());
		*out_record = record_sample_unix(taken[i].kind, name);
		return net_bind(name, taken[i].type);
	}
	if (taken[i].type == SOCK_STREAM) {
		fd = net_listen(taken[i].family);
	} else {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(
		    bind(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	}
	*out_record = record_sample_inet(taken[i].kind,
	    taken[i].family == AF_INET ? "127.0.0.1" : "::1", net_port(fd));
	if (taken[i].kind == RECORD_TCP)
		out_record->u.socket.flags =
		    RECORD_REUSEADDR; /* it always has it */
	return fd;
}

START_TEST(an_address_in_use_is_said_to_be_taken)
{
	struct record record;
	int holder;

	if (taken[_i].family == AF_INET6 && !net_has_ipv6()) {
		unit_skip("no IPv6 here");
		return;
	}
	holder = take(_i, &record);
	ck_assert_ptr_null(record_check(&record));
	ck_assert_pstr_eq(refusal(&record), TAKEN);
	ck_assert_int_eq(errno, EADDRINUSE);
	fd_close(holder);
	ck_assert_pstr_eq(refusal(&record), NULL);
}
END_TEST

/* Returns the log of a table of three endpoints, of which the second one is in
 * use. */
START_TEST(the_log_names_the_listener_and_the_address)
{
	struct record records[3] = {
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 0)};
	struct endpoint endpoints[3];
	struct table table = {.endpoints = endpoints, .endpoint_count = 3};
	char line[LOG_LINE_MAX + 1], expected[LOG_LINE_MAX];
	struct setup setup;
	int ends[2], holder = take(0, &records[1]);

	records[2] = records[0];
	for (int i = 0; i < 3; i++)
		endpoints[i] =
		    (struct endpoint){.record = &records[i], .fd = -1};
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	memset(&setup, 0, sizeof(setup));
	log_init(&setup.log, "brokerd", ends[1]);
	ck_assert_int_eq(
	    table_bind(&table, &setup, &setup.inherited), EX_OSERR);
	fd_close(ends[1]);
	net_read_all(ends[0], line, sizeof(line));
	snprintf(expected, sizeof(expected),
	    "brokerd: listener www: cannot make tcp:127.0.0.1:%u: " TAKEN "\n",
	    net_port(holder));
	ck_assert_str_eq(line, expected);
	ck_assert_int_ne(endpoints[0].fd, -1);
	ck_assert_int_eq(endpoints[1].fd, -1);
	ck_assert_int_eq(endpoints[2].fd, -1);
	endpoint_close(&endpoints[0], ENDPOINT_STOP);
	fd_close(ends[0]);
	fd_close(holder);
}
END_TEST

/* Addresses for documentation, which no machine has: RFC 5737, RFC 3849. */
static const char *const foreign[] = {"192.0.2.1", "2001:db8::1"};

START_TEST(freebind_is_for_an_address_that_is_not_here_yet)
{
	struct record record = record_sample_inet(RECORD_TCP, foreign[_i], 0);

	if (_i == 1 && !net_has_ipv6()) {
		unit_skip("no IPv6 here");
		return;
	}
	ck_assert_pstr_eq(refusal(&record), strerror(EADDRNOTAVAIL));
	ck_assert_int_eq(errno, EADDRNOTAVAIL);
	record.u.socket.flags = RECORD_FREEBIND;
	ck_assert_pstr_eq(refusal(&record), NULL);
}
END_TEST

/* True if an IPv4 client can connect to port on the loopback address. */
static int
takes_ipv4(uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int reached =
	    connect(client, (const struct sockaddr *)&in, sizeof(in)) == 0;

	ck_assert(reached || errno == ECONNREFUSED);
	fd_close(client);
	return reached;
}

static const struct {
	uint32_t flag;
	int takes_ipv4;
} families[] = {{RECORD_DUAL, 1}, {RECORD_V6ONLY, 0}};

START_TEST(an_IPv6_socket_takes_IPv4_only_if_dual)
{
	struct record record = record_sample_inet(RECORD_TCP, "::", 0);
	struct endpoint endpoint = {.record = &record, .fd = -1};

	if (!net_has_ipv6()) {
		unit_skip("no IPv6 here");
		return;
	}
	record.u.socket.flags = families[_i].flag;
	ck_assert_pstr_eq(endpoint_bind(&endpoint), NULL);
	ck_assert_int_eq(
	    takes_ipv4(net_port(endpoint.fd)), families[_i].takes_ipv4);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

/* In a network namespace of its own, where the default may be changed. */
START_TEST(the_default_of_the_system_does_not_matter_to_IPv6)
{
	struct record record = record_sample_inet(RECORD_TCP, "::", 0);
	struct endpoint endpoint = {.record = &record, .fd = -1};
	socklen_t size = sizeof(int);
	int sysctl, v6only = -1;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) == -1) {
		unit_skip("needs root, for a network of its own");
		return;
	}
	sysctl = open("/proc/sys/net/ipv6/bindv6only", O_WRONLY | O_CLOEXEC);
	if (sysctl == -1) {
		unit_skip("the default cannot be changed here");
		return;
	}
	record.u.socket.flags = families[_i].flag;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(write(sysctl, i == 0 ? "0" : "1", 1), 1);
		ck_assert_pstr_eq(endpoint_bind(&endpoint), NULL);
		ck_assert_int_eq(getsockopt(endpoint.fd, IPPROTO_IPV6,
				     IPV6_V6ONLY, &v6only, &size),
		    0);
		ck_assert_int_eq(v6only, !families[_i].takes_ipv4);
		endpoint_close(&endpoint, ENDPOINT_STOP);
	}
	fd_close(sysctl);
}
END_TEST

START_TEST(an_option_that_cannot_be_set_is_a_refusal)
{
	struct record record = record_sample_inet(RECORD_UDP, "127.0.0.1", 0);

	record.u.socket.flags = RECORD_V6ONLY;
	ck_assert_pstr_eq(refusal(&record), strerror(ENOPROTOOPT));
	ck_assert_int_eq(errno, ENOPROTOOPT);
}
END_TEST

START_TEST(no_descriptor_left_is_a_refusal)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 0);
	unsigned long limit = unit_limit_fds();
	const char *wrong = refusal(&record);
	int error = errno;

	unit_unlimit_fds(limit);
	ck_assert_pstr_eq(wrong, strerror(EMFILE));
	ck_assert_int_eq(error, EMFILE);
}
END_TEST

static void
bind_low(void *argument)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 1);

	(void)argument;
	unit_must(
	    geteuid() != 0 || privilege_drop(ORDINARY_UID, ORDINARY_UID) == 0);
	unit_must(refusal(&record) != NULL);
	unit_must(errno == EACCES);
}

START_TEST(a_low_port_without_the_capability_is_a_refusal)
{
	FILE *file =
	    fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int lowest = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &lowest), 1);
	fclose(file);
	if (lowest <= 1)
		unit_skip("anybody may bind any port here");
	else
		unit_in_child(bind_low, NULL);
}
END_TEST

UNIT_SUITE(endpoint_refused)
{
	TCase *tc = unit_case(suite, "endpoint-refused");

	tcase_add_loop_test(tc, an_address_in_use_is_said_to_be_taken, 0,
	    (int)UNIT_COUNT(taken));
	tcase_add_test(tc, the_log_names_the_listener_and_the_address);
	tcase_add_loop_test(tc, freebind_is_for_an_address_that_is_not_here_yet,
	    0, (int)UNIT_COUNT(foreign));
	tcase_add_loop_test(tc, an_IPv6_socket_takes_IPv4_only_if_dual, 0,
	    (int)UNIT_COUNT(families));
	tcase_add_loop_test(tc,
	    the_default_of_the_system_does_not_matter_to_IPv6, 0,
	    (int)UNIT_COUNT(families));
	tcase_add_test(tc, an_option_that_cannot_be_set_is_a_refusal);
	tcase_add_test(tc, no_descriptor_left_is_a_refusal);
	tcase_add_test(tc, a_low_port_without_the_capability_is_a_refusal);
}
