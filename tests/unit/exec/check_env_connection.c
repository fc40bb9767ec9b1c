/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: the environment that describes a connection.
 */
#include "exec/env.h"
#include "fixture/unit.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <fdrecv.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fdrecv_handoff h;

static void
expect(const char *name, const char *value)
{
	const char *found = getenv(name);

	if (value == NULL)
		ck_assert_msg(found == NULL, "%s is %s", name, found);
	else
		ck_assert_msg(found != NULL && strcmp(found, value) == 0,
		    "%s is %s, expected %s", name, found ? found : "not set",
		    value);
}

static void
expect_number(const char *name, long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	expect(name, text);
}

static void
set_ipv4(struct sockaddr_storage *address, socklen_t *length, const char *ip,
    uint16_t port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(port)};

	ck_assert_int_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	memcpy(address, &in, sizeof(in));
	*length = sizeof(in);
}

static void
set_ipv6(struct sockaddr_storage *address, socklen_t *length, const char *ip,
    uint16_t port)
{
	struct sockaddr_in6 in = {
	    .sin6_family = AF_INET6, .sin6_port = htons(port)};

	ck_assert_int_eq(inet_pton(AF_INET6, ip, &in.sin6_addr), 1);
	memcpy(address, &in, sizeof(in));
	*length = sizeof(in);
}

static void
set_path(struct sockaddr_storage *address, socklen_t *length, const char *path,
    size_t size)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, path, size);
	memcpy(address, &un, sizeof(un));
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

static void
begin(void)
{
	h = (struct fdrecv_handoff)FDRECV_HANDOFF_INIT;
	h.pid = -1;
	h.uid = (uid_t)-1;
	h.gid = (gid_t)-1;
	snprintf(h.listener, sizeof(h.listener), "www");
}

START_TEST(tcp)
{
	begin();
	set_ipv4(&h.peer, &h.peer_length, "192.0.2.1", 1234);
	set_ipv4(&h.local, &h.local_length, "192.0.2.2", 80);
	ck_assert_int_eq(env_set_connection(&h), 0);
	expect("PROTO", "TCP");
	expect("TCPREMOTEIP", "192.0.2.1");
	expect("TCPREMOTEPORT", "1234");
	expect("TCPLOCALIP", "192.0.2.2");
	expect("TCPLOCALPORT", "80");
	expect("REMOTE_ADDR", "192.0.2.1");
	expect("REMOTE_PORT", "1234");
	expect("FDRECV_LISTENER", "www");
}
END_TEST

START_TEST(tcp_on_ipv6)
{
	begin();
	set_ipv6(&h.peer, &h.peer_length, "2001:db8::1", 65535);
	set_ipv6(&h.local, &h.local_length, "::1", 1);
	ck_assert_int_eq(env_set_connection(&h), 0);
	expect("PROTO", "TCP");
	expect("TCPREMOTEIP", "2001:db8::1");
	expect("TCPREMOTEPORT", "65535");
	expect("TCPLOCALIP", "::1");
	expect("TCPLOCALPORT", "1");
}
END_TEST

START_TEST(ipv4_that_an_ipv6_socket_took_is_ipv4)
{
	begin();
	set_ipv6(&h.peer, &h.peer_length, "::ffff:192.0.2.1", 1234);
	set_ipv6(&h.local, &h.local_length, "::ffff:192.0.2.2", 80);
	ck_assert_int_eq(env_set_connection(&h), 0);
	expect("TCPREMOTEIP", "192.0.2.1");
	expect("TCPREMOTEPORT", "1234");
	expect("TCPLOCALIP", "192.0.2.2");
	expect("REMOTE_ADDR", "192.0.2.1");
}
END_TEST

START_TEST(local)
{
	begin();
	set_path(&h.local, &h.local_length, "/run/x", sizeof("/run/x"));
	set_path(&h.peer, &h.peer_length, "\0name", 5);
	h.pid = 12;
	h.uid = 34;
	h.gid = 56;
	snprintf(h.label, sizeof(h.label), "a:label");
	ck_assert_int_eq(env_set_connection(&h), 0);
	expect("PROTO", "UNIX");
	expect("UNIXLOCALPATH", "/run/x");
	expect("UNIXREMOTEPATH", "@name");
	expect("UNIXREMOTEPID", "12");
	expect("UNIXREMOTEUID", "34");
	expect("UNIXREMOTEEUID", "34");
	expect("UNIXREMOTEGID", "56");
	expect("UNIXREMOTEEGID", "56");
	expect("UNIXREMOTELABEL", "a:label");
	expect_number("UNIXLOCALPID", getpid());
	expect_number("UNIXLOCALUID", getuid());
	expect_number("UNIXLOCALGID", getgid());
	expect("TCPREMOTEIP", NULL);
}
END_TEST

START_TEST(what_is_not_known_is_not_said)
{
	begin();
	h.local.ss_family = AF_UNIX;
	h.local_length = sizeof(sa_family_t);
	h.listener[0] = '\0';
	ck_assert_int_eq(env_set_connection(&h), 0);
	expect("PROTO", "UNIX");
	expect("UNIXLOCALPATH", NULL);
	expect("UNIXREMOTEPATH", NULL);
	expect("UNIXREMOTEPID", NULL);
	expect("UNIXREMOTEUID", NULL);
	expect("UNIXREMOTEEGID", NULL);
	expect("UNIXREMOTELABEL", NULL);
	expect("FDRECV_LISTENER", NULL);
}
END_TEST

/* Names of 108 bytes have no NUL at their end. */
START_TEST(the_longest_path)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	begin();
	set_path(&h.local, &h.local_length, path, sizeof(path) - 1);
	ck_assert_int_eq(env_set_connection(&h), 0);
	expect("UNIXLOCALPATH", path);
}
END_TEST

START_TEST(what_was_said_of_another_is_taken_away)
{
	begin();
	set_ipv4(&h.local, &h.local_length, "192.0.2.2", 80);
	setenv("TCPREMOTEHOST", "name", 1);
	setenv("TCPREMOTEINFO", "name", 1);
	setenv("TCPREMOTEIP", "192.0.2.3", 1);
	setenv("UNIXREMOTEUID", "0", 1);
	ck_assert_int_eq(env_set_connection(&h), 0);
	expect("TCPREMOTEHOST", NULL);
	expect("TCPREMOTEINFO", NULL);
	expect("TCPREMOTEIP", NULL);
	expect("UNIXREMOTEUID", NULL);
}
END_TEST

UNIT_SUITE(env_connection)
{
	TCase *tc = unit_case(suite, "exec_connection");

	tcase_add_test(tc, tcp);
	tcase_add_test(tc, tcp_on_ipv6);
	tcase_add_test(tc, ipv4_that_an_ipv6_socket_took_is_ipv4);
	tcase_add_test(tc, local);
	tcase_add_test(tc, what_is_not_known_is_not_said);
	tcase_add_test(tc, the_longest_path);
	tcase_add_test(tc, what_was_said_of_another_is_taken_away);
}
