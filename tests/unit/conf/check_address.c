/* SPDX-License-Identifier: ISC */
/*
 * Addresses in the configuration: what each spelling means, and that the
 * canonical name of an address means the same address.
 */
#include "fixture/unit.h"

#include "conf/text/address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static struct address_list
parse(const char *text)
{
	struct address_list list;
	struct reason reason;

	if (address_parse(&list, text, &reason) == -1)
		ck_abort_msg("%s: %s", text, reason.text);
	return list;
}

static const struct {
	const char *text;
	const char *name;
	uint32_t kind;
	uint32_t length;
} spellings[] = {
    {"tcp:127.0.0.1:80", "tcp:127.0.0.1:80", RECORD_TCP, 16},
    {"tcp:127.0.0.1:00080", "tcp:127.0.0.1:80", RECORD_TCP, 16},
    {"udp:0.0.0.0:65535", "udp:0.0.0.0:65535", RECORD_UDP, 16},
    {"tcp:[0:0::0:1]:1", "tcp:[::1]:1", RECORD_TCP, 28},
    {"tcp:[::FFFF:1.2.3.4]:1", "tcp:[::ffff:1.2.3.4]:1", RECORD_TCP, 28},
    {"tcp:[fe80::1%lo]:1", "tcp:[fe80::1%lo]:1", RECORD_TCP, 28},
    {"tcp:[fe80::1%1]:1", "tcp:[fe80::1%lo]:1", RECORD_TCP, 28},
    {"udp:[ff02::1%99999]:1", "udp:[ff02::1%99999]:1", RECORD_UDP, 28},
    {"unix-stream:/a", "unix-stream:/a", RECORD_UNIX_STREAM, 5},
    {"unix-dgram://a/.//./b", "unix-dgram:/a/b", RECORD_UNIX_DGRAM, 7},
    {"unix-stream:/a/../b", "unix-stream:/a/../b", RECORD_UNIX_STREAM, 10},
    {"unix-seqpacket:@a:b", "unix-seqpacket:@a:b", RECORD_UNIX_SEQPACKET, 6},
    {"unix-seqpacket:@//", "unix-seqpacket:@//", RECORD_UNIX_SEQPACKET, 5},
};

START_TEST(each_spelling_has_one_canonical_name)
{
	struct address_list list = parse(spellings[_i].text);
	struct address_list again;

	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(list.items[0].name, spellings[_i].name);
	ck_assert_uint_eq(list.items[0].kind, spellings[_i].kind);
	ck_assert_uint_eq(list.items[0].length, spellings[_i].length);
	again = parse(list.items[0].name);
	ck_assert_uint_eq(again.count, 1);
	ck_assert_mem_eq(
	    &again.items[0], &list.items[0], sizeof(struct address));
	address_list_done(&again);
	address_list_done(&list);
}
END_TEST

START_TEST(port_and_address_are_in_network_order)
{
	struct address_list list = parse("tcp:127.1.2.3:80");
	const struct sockaddr_in *in = (const void *)&list.items[0].storage;

	ck_assert_int_eq(in->sin_family, AF_INET);
	ck_assert_uint_eq(ntohs(in->sin_port), 80);
	ck_assert_uint_eq(ntohl(in->sin_addr.s_addr), 0x7f010203);
	address_list_done(&list);
}
END_TEST

START_TEST(a_path_has_its_NUL_in_the_length_and_a_name_has_not)
{
	struct address_list list = parse("unix-stream:/ab");
	const struct sockaddr_un *un = (const void *)&list.items[0].storage;
	const size_t start = offsetof(struct sockaddr_un, sun_path);

	ck_assert_uint_eq(list.items[0].length, start + 4);
	ck_assert_str_eq(un->sun_path, "/ab");
	address_list_done(&list);
	list = parse("unix-stream:@ab");
	un = (const void *)&list.items[0].storage;
	ck_assert_uint_eq(list.items[0].length, start + 3);
	ck_assert_mem_eq(un->sun_path, "\0ab", 3);
	address_list_done(&list);
}
END_TEST

START_TEST(an_asterisk_is_both_families)
{
	struct address_list list = parse("tcp:*:80");

	ck_assert(list.wildcard);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.items[0].name, "tcp:0.0.0.0:80");
	ck_assert_str_eq(list.items[1].name, "tcp:[::]:80");
	address_list_done(&list);
}
END_TEST

START_TEST(a_text_without_an_address_keeps_its_name_and_kind)
{
	struct address_list list;
	struct reason reason;

	ck_assert_int_eq(address_unknown(&list, "udp:no.where:53", &reason), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_uint_eq(list.items[0].kind, RECORD_UDP);
	ck_assert_uint_eq(list.items[0].length, 0);
	ck_assert_int_eq(list.items[0].storage.ss_family, AF_UNSPEC);
	ck_assert_str_eq(list.items[0].name, "udp:no.where:53");
	address_list_done(&list);
}
END_TEST

START_TEST(an_address_is_in_a_list_once)
{
	struct address_list list = parse("tcp:127.0.0.1:80");
	struct sockaddr_storage same = list.items[0].storage;
	struct reason reason;

	ck_assert_int_eq(
	    address_list_add(&list, RECORD_TCP, (const struct sockaddr *)&same,
		list.items[0].length, &reason),
	    0);
	ck_assert_uint_eq(list.count, 1);
	address_list_done(&list);
}
END_TEST

START_TEST(a_host_name_is_each_of_its_addresses_once)
{
	struct address_list list = parse("tcp:localhost:80");

	ck_assert(!list.wildcard);
	ck_assert_uint_ge(list.count, 1);
	for (size_t i = 0; i < list.count; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(
			    list.items[i].name, list.items[j].name);
	address_list_done(&list);
}
END_TEST

static const struct {
	const char *text;
	const char *reason;
} mistakes[] = {
    {"", "expected KIND:ADDRESS"},
    {":", "unknown kind \"\""},
    {"TCP:127.0.0.1:80", "unknown kind \"TCP\""},
    {"tc:127.0.0.1:80", "unknown kind \"tc\""},
    {"tcpp:127.0.0.1:80", "unknown kind \"tcpp\""},
    {"vsock:1:80", "vsock is not supported yet"},
    {"tcp:", "expected tcp:ADDRESS:PORT"},
    {"tcp:127.0.0.1", "expected tcp:ADDRESS:PORT"},
    {"tcp:*:0", "port 0: expected 1 to 65535"},
    {"tcp:*:80 ", "port 80 : no such tcp service"},
    {"tcp:1.2.3:80", "\"1.2.3\" is not an address"},
    {"tcp:1:80", "\"1\" is not an address"},
    {"tcp:0x1:80", "\"0x1\" is not an address"},
    {"tcp:a b:80", "\"a b\" is not an address"},
    {"tcp:a%lo:80", "\"a%lo\" is not an address"},
    {"udp:[]:80", "[] is not an IPv6 address"},
    {"udp:[127.0.0.1]:80", "[127.0.0.1] is not an IPv6 address"},
    {"udp:[::1]", "expected udp:ADDRESS:PORT, with [ and ]"},
    {"udp:[fe80::1%]:80", "there is no interface \"\""},
    {"udp:[fe80::1%0]:80", "there is no interface \"0\""},
    {"unix-stream:a", "expected unix-stream:/PATH or unix-stream:@NAME"},
    {"unix-stream:/", "a directory"},
    {"unix-stream:/a/.", "a directory"},
    {"unix-stream:@\n", "a control character"},
};

START_TEST(a_mistake_is_explained)
{
	struct address_list list;
	struct reason reason;

	ck_assert_int_eq(address_parse(&list, mistakes[_i].text, &reason), -1);
	ck_assert_msg(strncmp(reason.text, mistakes[_i].reason,
			  strlen(mistakes[_i].reason)) == 0,
	    "%s: %s", mistakes[_i].text, reason.text);
	ck_assert_msg(
	    strstr(reason.text, "expected") != NULL, "%s", reason.text);
}
END_TEST

UNIT_SUITE(address)
{
	TCase *tc = unit_case(suite, "address");

	tcase_add_loop_test(tc, each_spelling_has_one_canonical_name, 0,
	    (int)(sizeof(spellings) / sizeof(spellings[0])));
	tcase_add_test(tc, port_and_address_are_in_network_order);
	tcase_add_test(tc, a_path_has_its_NUL_in_the_length_and_a_name_has_not);
	tcase_add_test(tc, an_asterisk_is_both_families);
	tcase_add_test(tc, a_text_without_an_address_keeps_its_name_and_kind);
	tcase_add_test(tc, an_address_is_in_a_list_once);
	tcase_add_test(tc, a_host_name_is_each_of_its_addresses_once);
	tcase_add_loop_test(tc, a_mistake_is_explained, 0,
	    (int)(sizeof(mistakes) / sizeof(mistakes[0])));
}
