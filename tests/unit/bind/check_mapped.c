/* SPDX-License-Identifier: ISC */
/*
 * A lent IPv4 socket in the place of an IPv6 one.
 */
#include "fixture/unit.h"

#include "bind/mapped.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *in6;
	const char *in; /* NULL: none */
	const char *back;
} addresses[] = {
    {"::ffff:127.0.0.1", "127.0.0.1", "::ffff:127.0.0.1"},
    {"::ffff:255.255.255.255", "255.255.255.255", "::ffff:255.255.255.255"},
    {"::", "0.0.0.0", "::"},
    {"::ffff:0.0.0.0", "0.0.0.0", "::"},
    {"::1", NULL, NULL},
    {"::127.0.0.1", NULL, NULL},
    {"64:ff9b::127.0.0.1", NULL, NULL},
};

START_TEST(an_address_is_translated_and_back)
{
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(80)};
	struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in in;
	socklen_t length = sizeof(in6);
	int result;

	ck_assert_int_eq(
	    inet_pton(AF_INET6, addresses[_i].in6, &in6.sin6_addr), 1);
	result = mapped_to_inet((struct sockaddr *)&in6, sizeof(in6), &in);
	ck_assert_int_eq(result, addresses[_i].in == NULL ? -1 : 0);
	if (result == -1)
		return;
	ck_assert_int_eq(in.sin_port, htons(80));
	ck_assert_str_eq(inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text)),
	    addresses[_i].in);
	memcpy(&storage, &in, sizeof(in));
	memset(&in6, 0xee, sizeof(in6));
	mapped_write(&storage, sizeof(in), (struct sockaddr *)&in6, &length);
	ck_assert_uint_eq(length, sizeof(in6));
	ck_assert_int_eq(in6.sin6_family, AF_INET6);
	ck_assert_int_eq(in6.sin6_port, htons(80));
	ck_assert_str_eq(
	    inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text)),
	    addresses[_i].back);
}
END_TEST

START_TEST(an_address_is_cut_as_the_kernel_cuts_it)
{
	struct sockaddr_storage storage = {.ss_family = AF_INET};
	struct sockaddr_in6 in6;
	socklen_t length = offsetof(struct sockaddr_in6, sin6_flowinfo);

	memset(&in6, 0xee, sizeof(in6));
	mapped_write(&storage, sizeof(struct sockaddr_in),
	    (struct sockaddr *)&in6, &length);
	ck_assert_uint_eq(length, sizeof(in6));
	ck_assert_int_eq(in6.sin6_family, AF_INET6);
	ck_assert_uint_eq(in6.sin6_flowinfo, 0xeeeeeeee);
	mapped_write(&storage, sizeof(struct sockaddr_in), NULL, NULL);
	ck_assert_int_eq(
	    mapped_to_inet((struct sockaddr *)&in6, sizeof(struct sockaddr_in),
		&(struct sockaddr_in){0}),
	    -1);
}
END_TEST

START_TEST(an_option_becomes_that_of_ipv4)
{
	int level = IPPROTO_IPV6, name = IPV6_TCLASS;

	ck_assert(mapped_option(&level, &name));
	ck_assert_int_eq(level, IPPROTO_IP);
	ck_assert_int_eq(name, IP_TOS);
	ck_assert(!mapped_option(&level, &name)); /* it is one already */
	level = IPPROTO_IPV6;
	name = IPV6_RECVPKTINFO;
	ck_assert(!mapped_option(&level, &name));
}
END_TEST

UNIT_SUITE(mapped)
{
	TCase *tc = unit_case(suite, "translate");

	tcase_add_loop_test(tc, an_address_is_translated_and_back, 0,
	    (int)UNIT_COUNT(addresses));
	tcase_add_test(tc, an_address_is_cut_as_the_kernel_cuts_it);
	tcase_add_test(tc, an_option_becomes_that_of_ipv4);
}
