/* SPDX-License-Identifier: ISC */
/*
 * When two addresses are the same for the bind shim.
 */
#include "fixture/unit.h"

#include "fake_shortage.h"

#include "bind/sockaddr_match.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct sockaddr_match
place_inet(const char *host, uint16_t port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_match place = {.length = sizeof(in)};

	ck_assert_int_eq(inet_pton(AF_INET, host, &in.sin_addr), 1);
	memcpy(&place.u, &in, sizeof(in));
	return place;
}

static struct sockaddr_match
place_inet6(const char *host, uint16_t port, uint32_t scope)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
	    .sin6_port = htons(port),
	    .sin6_scope_id = scope};
	struct sockaddr_match place = {.length = sizeof(in6)};

	ck_assert_int_eq(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
	memcpy(&place.u, &in6, sizeof(in6));
	return place;
}

/* size bytes of name, which may contain NULs and ends without one. */
static struct sockaddr_match
place_unix(const char *name, size_t size)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_match place = {
	    .length =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)};

	ck_assert_uint_le(size, sizeof(un.sun_path));
	memcpy(un.sun_path, name, size);
	memcpy(&place.u, &un, sizeof(un));
	return place;
}

static struct sockaddr_match
place_path(const char *path)
{
	return place_unix(path, strlen(path) + 1);
}

static int
same(struct sockaddr_match lent, struct sockaddr_match asked)
{
	return sockaddr_match_is(&lent, &asked);
}

static const char *
text_of(const struct sockaddr_match *place, char text[SOCKADDR_MATCH_TEXT_SIZE])
{
	sockaddr_match_text(&place->u.any, place->length, text);
	return text;
}

static void
make_socket(const char *path)
{
	ck_assert_int_eq(mknod(path, S_IFSOCK | 0600, 0), 0);
}

START_TEST(an_inet_address_is_address_and_port)
{
	struct sockaddr_match lent = place_inet("127.0.0.1", 80);

	ck_assert(same(lent, place_inet("127.0.0.1", 80)));
	ck_assert(!same(lent, place_inet("127.0.0.1", 81)));
	ck_assert(!same(lent, place_inet("127.0.0.2", 80)));
	ck_assert(!same(lent, place_inet("0.0.0.0", 80)));
	ck_assert(!same(place_inet("0.0.0.0", 80), lent));
	ck_assert(!same(lent, place_inet6("::ffff:127.0.0.1", 80, 0)));
}
END_TEST

START_TEST(what_is_longer_than_an_address_is_one_and_shorter_is_none)
{
	struct sockaddr_match lent = place_inet("127.0.0.1", 80), asked = lent;
	struct sockaddr_match lent6 = place_inet6("::1", 80, 0), asked6 = lent6;

	asked.length = asked6.length = sizeof(asked.u);
	ck_assert(same(lent, asked));
	ck_assert(same(lent6, asked6));
	asked.length = sizeof(struct sockaddr_in) - 1;
	asked6.length = sizeof(struct sockaddr_in6) - 1;
	ck_assert(!same(lent, asked));
	ck_assert(!same(lent6, asked6));
}
END_TEST

START_TEST(a_scope_counts_for_link_local_addresses_alone)
{
	struct sockaddr_match local = place_inet6("fe80::1", 80, 2);
	struct sockaddr_match global = place_inet6("2001:db8::1", 80, 0);

	ck_assert(same(local, place_inet6("fe80::1", 80, 2)));
	ck_assert(!same(local, place_inet6("fe80::1", 80, 3)));
	ck_assert(same(global, place_inet6("2001:db8::1", 80, 9)));
	ck_assert(!same(global, place_inet6("2001:db8::2", 80, 0)));
	ck_assert(!same(global, place_inet6("2001:db8::1", 81, 0)));
}
END_TEST

START_TEST(ports_are_in_host_order)
{
	struct sockaddr_match inet = place_inet("127.0.0.1", 80);
	struct sockaddr_match inet6 = place_inet6("::1", 8080, 0);
	struct sockaddr_match path = place_path("/run/x");

	ck_assert_int_eq(sockaddr_match_port(&inet), 80);
	ck_assert_int_eq(sockaddr_match_port(&inet6), 8080);
	ck_assert_int_eq(sockaddr_match_port(&path), -1);
}
END_TEST

START_TEST(a_path_ends_at_a_nul_or_at_its_length)
{
	char full[108];

	memset(full, 'x', sizeof(full));
	full[0] = '/';
	ck_assert(same(place_path("/run/x"), place_unix("/run/x", 6)));
	ck_assert(same(place_path("/run/x"), place_unix("/run/x\0y", 9)));
	ck_assert(!same(place_path("/run/x"), place_unix("/run/xy", 7)));
	ck_assert(same(place_unix(full, 108), place_unix(full, 108)));
	ck_assert(!same(place_unix(full, 108), place_unix(full, 107)));
}
END_TEST

START_TEST(an_abstract_name_is_all_its_bytes)
{
	struct sockaddr_match lent = place_unix("\0name", 5);

	ck_assert(same(lent, place_unix("\0name", 5)));
	ck_assert(!same(lent, place_unix("\0name\0", 6)));
	ck_assert(!same(lent, place_unix("\0nam", 4)));
	ck_assert(!same(lent, place_path("name")));
	ck_assert(!same(place_path("name"), lent));
}
END_TEST

START_TEST(a_file_is_the_same_by_any_way)
{
	char path[108];

	snprintf(path, sizeof(path), "%s", unit_path("socket"));
	make_socket(path);
	unit_directory("dir", 0755);
	make_socket(unit_path("dir/socket"));
	ck_assert_int_eq(symlink("..", unit_path("dir/up")), 0);
	ck_assert_int_eq(symlink(path, unit_path("other")), 0);
	ck_assert(same(place_path(path), place_path(unit_path("./socket"))));
	ck_assert(
	    same(place_path(path), place_path(unit_path("dir/up//socket"))));
	ck_assert(!same(place_path(path), place_path(unit_path("dir/socket"))));
	ck_assert(!same(place_path(path), place_path(unit_path("other"))));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(
	    !same(place_path(path), place_path(unit_path("dir/up//socket"))));
	ck_assert(same(place_path(path), place_path(path)));
}
END_TEST

START_TEST(a_file_is_found_from_a_directory)
{
	struct sockaddr_match lent = place_path(unit_path("dir/socket"));
	struct sockaddr_match inet = place_inet("127.0.0.1", 80);
	struct sockaddr_match name = place_unix("\0socket", 7);
	int dir;

	unit_directory("dir", 0755);
	make_socket(unit_path("dir/socket"));
	dir = open(unit_path("dir"), O_DIRECTORY | O_CLOEXEC);
	ck_assert(sockaddr_match_is_file(&lent, dir, "socket"));
	fake_shortage =
	    (struct fake_shortage){ENOMEM, 1}; /* or it is removed */
	ck_assert(sockaddr_match_is_file(&lent, dir, "socket"));
	ck_assert(!sockaddr_match_is_file(&lent, AT_FDCWD, "socket"));
	ck_assert(!sockaddr_match_is_file(&lent, dir, "sock"));
	ck_assert(!sockaddr_match_is_file(&lent, dir, ""));
	ck_assert(!sockaddr_match_is_file(&inet, dir, "socket"));
	ck_assert(!sockaddr_match_is_file(&name, dir, "socket"));
	ck_assert_int_eq(unlinkat(dir, "socket", 0), 0);
	ck_assert(!sockaddr_match_is_file(&lent, dir, "socket"));
	close(dir);
}
END_TEST

START_TEST(an_address_is_told_as_people_write_it)
{
	struct sockaddr_match place = place_inet("127.0.0.1", 80);
	struct sockaddr_match inet6 = place_inet6("::", 80, 0);
	struct sockaddr_match path = place_path("/run/x");
	struct sockaddr_match name = place_unix("\0name", 5);
	char text[SOCKADDR_MATCH_TEXT_SIZE];

	ck_assert_str_eq(text_of(&place, text), "127.0.0.1:80");
	ck_assert_str_eq(text_of(&inet6, text), "[::]:80");
	ck_assert_str_eq(text_of(&path, text), "/run/x");
	ck_assert_str_eq(text_of(&name, text), "@name");
	sockaddr_match_text(NULL, 0, text);
	ck_assert_str_eq(text, "something else");
	place.length = sizeof(place.u) + 1;
	ck_assert_str_eq(text_of(&place, text), "something else");
}
END_TEST

UNIT_SUITE(sockaddr_match)
{
	TCase *tc = unit_case(suite, "place");

	tcase_add_test(tc, an_inet_address_is_address_and_port);
	tcase_add_test(
	    tc, what_is_longer_than_an_address_is_one_and_shorter_is_none);
	tcase_add_test(tc, a_scope_counts_for_link_local_addresses_alone);
	tcase_add_test(tc, ports_are_in_host_order);
	tcase_add_test(tc, a_path_ends_at_a_nul_or_at_its_length);
	tcase_add_test(tc, an_abstract_name_is_all_its_bytes);
	tcase_add_test(tc, a_file_is_the_same_by_any_way);
	tcase_add_test(tc, a_file_is_found_from_a_directory);
	tcase_add_test(tc, an_address_is_told_as_people_write_it);
}
