/* SPDX-License-Identifier: ISC */
/*
 * TCP and UDP addresses: ports, services, hosts, interfaces and canonical
 * names.
 */
#include "fixture/unit.h"

#include "conf/text/inet.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char long_host[] =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    ":80";

static int
parse(struct address_list *list, uint32_t kind, const char *text,
    struct reason *reason)
{
	memset(list, 0, sizeof(*list));
	memset(reason, 0, sizeof(*reason));
	return inet_parse(list, kind, text, reason);
}

/* Asserts that text means exactly this address. */
static void
check_one(uint32_t kind, const char *text, const char *name)
{
	struct address_list list;
	struct reason reason;

	if (parse(&list, kind, text, &reason) == -1)
		ck_abort_msg("%s: %s", text, reason.text);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_int_eq(list.wildcard, 0);
	ck_assert_uint_eq(list.items[0].kind, kind);
	ck_assert_str_eq(list.items[0].name, name);
	address_list_done(&list);
}

static const struct {
	const char *text;
	const char *name; /* of tcp */
} addresses[] = {
    {"127.0.0.1:1", "tcp:127.0.0.1:1"},
    {"0.0.0.0:65535", "tcp:0.0.0.0:65535"},
    {"255.255.255.255:0080", "tcp:255.255.255.255:80"},
    {"[::]:80", "tcp:[::]:80"},
    {"[2001:DB8:0::1]:80", "tcp:[2001:db8::1]:80"},
    {"[::ffff:10.0.0.1]:80", "tcp:[::ffff:10.0.0.1]:80"},
    {"[fe80::1%1]:80",
	"tcp:[fe80::1%lo]:80"}, /* lo has index 1 in every network namespace */
    {"[ff02::1%lo]:80", "tcp:[ff02::1%lo]:80"},
    {"[fe80::1%4294967295]:80", "tcp:[fe80::1%4294967295]:80"},
};

START_TEST(a_numeric_address_is_itself)
{
	check_one(RECORD_TCP, addresses[_i].text, addresses[_i].name);
}
END_TEST

START_TEST(each_kind_is_named)
{
	check_one(RECORD_UDP, "127.0.0.1:53", "udp:127.0.0.1:53");
	check_one(RECORD_UDP, "[::1]:53", "udp:[::1]:53");
}
END_TEST

static const struct {
	const char *text;
	const char *reason; /* the beginning of the message */
} mistakes[] = {
    {"", "expected tcp:ADDRESS:PORT"},
    {"80", "expected tcp:ADDRESS:PORT"},
    {"[::1]", "expected tcp:ADDRESS:PORT, with [ and ]"},
    {"[::1]80", "expected tcp:ADDRESS:PORT, with [ and ]"},
    {"[::1:80", "expected tcp:ADDRESS:PORT, with [ and ]"},
    {"::1:80", "more than one \":\": expected [ and ] around an IPv6"},
    {"127.0.0.1:", "no port: expected 1 to 65535 or a service name"},
    {"[::1]:", "no port: expected 1 to 65535 or a service name"},
    {"127.0.0.1:0", "port 0: expected 1 to 65535"},
    {"127.0.0.1:65536", "port 65536: expected 1 to 65535"},
    {"127.0.0.1:65616", "port 65616: expected 1 to 65535"}, /* 80 + 2^16 */
    {"127.0.0.1:-1", "port -1: no such tcp service"},
    {"127.0.0.1:+80", "port +80: no such tcp service"},
    {"127.0.0.1: 80", "port  80: no such tcp service"},
    {"127.0.0.1:no-service", "port no-service: no such tcp service"},
    {long_host, "a host of 256 bytes: expected at most 255"},
    {":80", "\"\" is not an address"},
    {" :80", "\" \" is not an address"},
    {"256.0.0.1:80", "\"256.0.0.1\" is not an address"},
    {"127.1:80", "\"127.1\" is not an address"},
    {"127.0.0.1.:80", "\"127.0.0.1.\" is not an address"},
    {"0X7f000001:80", "\"0X7f000001\" is not an address"},
    {"host.0x7f:80", "\"host.0x7f\" is not an address"},
    {"**:80", "\"**\" is not an address"},
    {"h/ost:80", "\"h/ost\" is not an address"},
    {"h\xf6st:80", "\"h\xf6st\" is not an address"},
    {"[]:80", "[] is not an IPv6 address"},
    {"[localhost]:80", "[localhost] is not an IPv6 address"},
    {"[:::]:80", "[:::] is not an IPv6 address"},
    {"[::1 ]:80", "[::1 ] is not an IPv6 address"},
    {"[fe80::1]:80", "a link-local address: expected \"%\""},
    {"[ff02::1]:80", "a link-local address: expected \"%\""},
    {"[fe80::1%]:80", "there is no interface \"\""},
    {"[fe80::1%0]:80", "there is no interface \"0\""},
    {"[fe80::1%4294967296]:80", "there is no interface \"4294967296\""},
    {"[fe80::1%no if]:80", "there is no interface \"no if\""},
    {"[::1%lo]:80", "an interface after \"%\": expected it only"},
    {"[::1%]:80", "an interface after \"%\": expected it only"},
};

START_TEST(a_mistake_says_what_was_expected)
{
	const char *text = mistakes[_i].text, *begin = mistakes[_i].reason;
	struct address_list list;
	struct reason reason;

	ck_assert_int_eq(parse(&list, RECORD_TCP, text, &reason), -1);
	ck_assert_msg(strncmp(reason.text, begin, strlen(begin)) == 0, "%s: %s",
	    text, reason.text);
	ck_assert_ptr_nonnull(strstr(reason.text, "expected"));
	ck_assert_int_eq(reason.kind,
	    strstr(reason.text, "there is no interface") != NULL ?
		REASON_PASSING :
		REASON_WRONG);
	ck_assert_ptr_null(list.items);
}
END_TEST

static void
resolve_alone(void *argument)
{
	struct address_list list;
	struct reason reason;

	(void)argument;
	/* No query leaves this machine. */
	if (unshare(CLONE_NEWNET) == -1 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		_exit(77);
	unit_must(parse(&list, RECORD_TCP, "h.invalid:80", &reason) == -1);
	unit_must(
	    strncmp(reason.text, "host h.invalid has no address (", 31) == 0);
	unit_must(strstr(reason.text, "expected a host name") != NULL);
	/* No name server could be asked. */
	unit_must(reason.kind == REASON_PASSING);
}

START_TEST(a_name_without_an_address_is_a_mistake)
{
	int status = unit_reap(unit_fork(resolve_alone, NULL), 0);

	if (status == 77)
		unit_skip("no network namespace can be made here");
	else
		ck_assert_int_eq(status, 0);
}
END_TEST

/* A service that only one protocol has, or that has two ports. */
static int
find_service(char name[64], in_port_t *out_port)
{
	const struct servent *service;
	int found = 0;

	setservent(1);
	while (!found && (service = getservent()) != NULL) {
		if (strcmp(service->s_proto, "tcp") != 0 ||
		    strlen(service->s_name) >= 64)
			continue;
		strcpy(name, service->s_name);
		*out_port = (in_port_t)service->s_port;
		found = getservbyname(name, "udp") == NULL;
	}
	endservent();
	return found;
}

START_TEST(a_service_is_one_of_its_protocol)
{
	char name[64], text[128], expected[128];
	struct address_list list;
	struct reason reason;
	in_port_t port;

	if (!find_service(name, &port)) {
		unit_skip("there is no service of tcp alone");
		return;
	}
	snprintf(text, sizeof(text), "127.0.0.1:%s", name);
	snprintf(expected, sizeof(expected), "tcp:127.0.0.1:%u", ntohs(port));
	check_one(RECORD_TCP, text, expected);
	ck_assert_int_eq(parse(&list, RECORD_UDP, text, &reason), -1);
	snprintf(
	    expected, sizeof(expected), "port %s: no such udp service", name);
	ck_assert_int_eq(strncmp(reason.text, expected, strlen(expected)), 0);
}
END_TEST

START_TEST(an_asterisk_is_every_address_that_there_is)
{
	struct address_list list;
	struct reason reason;

	ck_assert_int_eq(parse(&list, RECORD_TCP, "*:80", &reason), 0);
	ck_assert_int_eq(list.wildcard, 1);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.items[0].name, "tcp:0.0.0.0:80");
	ck_assert_str_eq(list.items[1].name, "tcp:[::]:80");
	address_list_done(&list);
}
END_TEST

static struct record_socket
socket_of(const struct address *address, uint32_t flags)
{
	struct record_socket sock = {.flags = flags,
	    .address_length = address->length,
	    .address = address->storage};

	return sock;
}

static const struct {
	const char *text;
	uint32_t flags;
	int here;
} places[] = {
    {"127.0.0.1:80", 0, 1},
    {"0.0.0.0:80", 0, 1},
    {"203.0.113.1:80", 0, 0}, /* for documentation, see RFC 5737 */
    {"203.0.113.1:80", RECORD_FREEBIND, 1},
};

/* Without the right to bind port 80. */
START_TEST(an_address_is_here_whatever_its_port)
{
	struct record_socket sock;
	struct address_list list;
	struct reason reason;

	ck_assert_int_eq(parse(&list, RECORD_TCP, places[_i].text, &reason), 0);
	sock = socket_of(&list.items[0], places[_i].flags);
	ck_assert_int_eq(inet_is_here(&sock), places[_i].here);
	address_list_done(&list);
}
END_TEST

START_TEST(the_interface_is_in_the_address)
{
	struct address_list list;
	struct reason reason;
	const struct sockaddr_in6 *in6;

	ck_assert_int_eq(
	    parse(&list, RECORD_TCP, "[fe80::1%lo]:80", &reason), 0);
	in6 = (const void *)&list.items[0].storage;
	ck_assert_uint_eq(in6->sin6_scope_id, if_nametoindex("lo"));
	ck_assert_uint_eq(ntohs(in6->sin6_port), 80);
	ck_assert_int_eq(in6->sin6_family, AF_INET6);
	ck_assert_uint_eq(list.items[0].length, sizeof(*in6));
	address_list_done(&list);
}
END_TEST

START_TEST(the_longest_name_fits)
{
	const char expected[] = "tcp:[fe80:1111:2222:3333:4444:5555:6666:7777%"
				"4294967295]:65535";
	struct reason reason;
	struct address_list list = {.count = 0};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
	    .sin6_port = htons(65535),
	    .sin6_scope_id = UINT32_MAX};

	ck_assert_int_eq(
	    inet_pton(AF_INET6, "fe80:1111:2222:3333:4444:5555:6666:7777",
		&in6.sin6_addr),
	    1);
	ck_assert_int_eq(
	    address_list_add(&list, RECORD_TCP, (const struct sockaddr *)&in6,
		sizeof(in6), &reason),
	    0);
	ck_assert_str_eq(list.items[0].name, expected);
	address_list_done(&list);
}
END_TEST

UNIT_SUITE(inet)
{
	TCase *tc = unit_case(suite, "inet");

	tcase_add_loop_test(
	    tc, a_numeric_address_is_itself, 0, (int)UNIT_COUNT(addresses));
	tcase_add_test(tc, each_kind_is_named);
	tcase_add_loop_test(
	    tc, a_mistake_says_what_was_expected, 0, (int)UNIT_COUNT(mistakes));
	tcase_add_test(tc, a_name_without_an_address_is_a_mistake);
	tcase_add_test(tc, a_service_is_one_of_its_protocol);
	tcase_add_test(tc, an_asterisk_is_every_address_that_there_is);
	tcase_add_loop_test(tc, an_address_is_here_whatever_its_port, 0,
	    (int)UNIT_COUNT(places));
	tcase_add_test(tc, the_interface_is_in_the_address);
	tcase_add_test(tc, the_longest_name_fits);
}
