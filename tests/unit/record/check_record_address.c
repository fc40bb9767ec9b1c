/* SPDX-License-Identifier: ISC */
/*
 * The addresses of a record: families of other kinds, all lengths, and strings
 * that are not paths.
 */
#include "fixture/unit.h"

#include "fixture/record_sample.h"
#include "record/record.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PATH_START offsetof(struct sockaddr_un, sun_path)
#define PATH_SIZE sizeof(((struct sockaddr_un *)NULL)->sun_path)

static const struct {
	const char *address;
	sa_family_t family;
	uint32_t length;
} inets[] = {
    {"127.0.0.1", AF_INET, sizeof(struct sockaddr_in)},
    {"::1", AF_INET6, sizeof(struct sockaddr_in6)},
};

START_TEST(an_internet_address_has_the_length_of_its_family)
{
	struct record record =
	    record_sample_inet(RECORD_TCP, inets[_i].address, 80);
	char what[32];

	for (uint32_t length = 0; length <= 2 * sizeof(record.u.socket.address);
	     length++) {
		record.u.socket.address_length = length;
		snprintf(what, sizeof(what), "length %u", length);
		record_sample_check(&record,
		    length == inets[_i].length ? NULL : "IPv4 or IPv6", what);
	}
	record.u.socket.address_length = UINT32_MAX;
	record_sample_check(&record, "IPv4 or IPv6", "no length");
}
END_TEST

/* Every family and some that do not exist; one other family has another
 * length. */
START_TEST(an_internet_address_has_an_internet_family)
{
	struct record record =
	    record_sample_inet(RECORD_UDP, inets[_i].address, 80);
	char what[32];

	for (unsigned int family = 0; family <= UINT16_MAX; family++) {
		record.u.socket.address.ss_family = (sa_family_t)family;
		snprintf(what, sizeof(what), "family %u", family);
		record_sample_check(&record,
		    family == inets[_i].family ? NULL :
			family == AF_UNIX      ? "kind of socket" :
						 "IPv4 or IPv6",
		    what);
	}
}
END_TEST

START_TEST(a_local_address_has_the_local_family)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, _i == 0 ? "/run/a" : "@a");

	for (unsigned int family = 0; family <= UINT16_MAX; family++) {
		record.u.socket.address.ss_family = (sa_family_t)family;
		record_sample_check(&record,
		    family == AF_UNIX ? NULL : "kind of socket", "family");
		ck_assert_int_eq(record_path(&record.u.socket) != NULL,
		    family == AF_UNIX && _i == 0);
	}
}
END_TEST

/* The length of a path includes its NUL, the length of an abstract name the
 * NUL in front of it; each has 108 bytes, see unix(7). */
static const struct {
	const char *bytes;
	size_t size;
	const char *wrong;
} paths[] = {
    {"/a", 3, NULL},
    {"/a/", 4, NULL},
    {"//", 3, NULL},
    {"", 0, "1 to 107"},
    {"", 1, "1 to 107"},
    {"/", 1, "1 to 107"},
    {"a", 2, "absolute"},
    {"run/a", 6, "absolute"},
    {"./a", 4, "absolute"},
    {"@a", 3, "absolute"},
    {" /a", 4, "absolute"},
    {"/a", 2, "absolute"},    /* no NUL */
    {"/a\0b", 5, "absolute"}, /* one inside */
    {"/a\0", 4, "absolute"},  /* one too many */
    {"\0a", 2, NULL},         /* abstract from here on */
    {"\0/", 2, NULL},
    {"\0a\0b", 4, NULL},
    {"\0", 2, NULL},
};

static struct record
with_path(const char *bytes, size_t size)
{
	struct record record = record_sample_unix(RECORD_UNIX_STREAM, "/run/a");

	memset((char *)&record.u.socket.address + PATH_START, 0,
	    sizeof(record.u.socket.address) - PATH_START);
	memcpy((char *)&record.u.socket.address + PATH_START, bytes, size);
	record.u.socket.address_length = (uint32_t)(PATH_START + size);
	return record;
}

START_TEST(a_path_is_absolute_and_ends_where_it_says)
{
	struct record record = with_path(paths[_i].bytes, paths[_i].size);

	record_sample_check(&record, paths[_i].wrong, paths[_i].bytes);
}
END_TEST

START_TEST(a_local_address_has_at_most_108_bytes)
{
	char bytes[PATH_SIZE + 2];
	struct record record;

	memset(bytes, 'a', sizeof(bytes));
	bytes[0] = _i == 0 ? '/' : '\0';
	bytes[PATH_SIZE - 1] = _i == 0 ? '\0' : 'a';
	record = with_path(bytes, PATH_SIZE);
	record_sample_check(&record, NULL, "the longest");
	bytes[PATH_SIZE - 1] = 'a';
	if (_i == 0) {
		record = with_path(bytes, PATH_SIZE);
		record_sample_check(
		    &record, "absolute", "the longest, without NUL");
	}
	bytes[PATH_SIZE] = _i == 0 ? '\0' : 'a';
	record = with_path(bytes, PATH_SIZE + 1);
	record_sample_check(&record, "1 to 107", "one more");
	record = with_path("/a", 3);
	for (uint32_t length = 0; length <= PATH_START; length++) {
		record.u.socket.address_length = length;
		record_sample_check(&record, "1 to 107", "without a path");
	}
	record.u.socket.address_length = UINT32_MAX;
	record_sample_check(&record, "1 to 107", "no length");
}
END_TEST

UNIT_SUITE(record_address)
{
	TCase *tc = unit_case(suite, "address");

	tcase_add_loop_test(tc,
	    an_internet_address_has_the_length_of_its_family, 0,
	    (int)UNIT_COUNT(inets));
	tcase_add_loop_test(tc, an_internet_address_has_an_internet_family, 0,
	    (int)UNIT_COUNT(inets));
	tcase_add_loop_test(tc, a_local_address_has_the_local_family, 0, 2);
	tcase_add_loop_test(tc, a_path_is_absolute_and_ends_where_it_says, 0,
	    (int)UNIT_COUNT(paths));
	tcase_add_loop_test(tc, a_local_address_has_at_most_108_bytes, 0, 2);
}
