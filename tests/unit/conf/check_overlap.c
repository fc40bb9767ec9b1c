/* SPDX-License-Identifier: ISC */
/*
 * Endpoints that exclude each other, compared with the results of bind(2) and
 * listen(2) where the loopback allows to try it.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/check/overlap.h"
#include "conf/meaning/output.h"
#include "conf/text/address.h"

#include <netinet/in.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *a, *b;
	int v6only;
	int overlap;
} pairs[] = {
    {"tcp:127.0.0.1:7", "tcp:127.0.0.1:7", 1, 1},
    {"tcp:127.0.0.1:7", "tcp:127.0.0.1:8", 1, 0},
    {"tcp:127.0.0.1:7", "tcp:127.0.0.2:7", 1, 0},
    {"tcp:127.0.0.1:7", "udp:127.0.0.1:7", 1, 0},
    {"tcp:0.0.0.0:7", "tcp:127.0.0.1:7", 1, 1},
    {"udp:0.0.0.0:7", "udp:127.0.0.1:7", 1, 1},
    {"tcp:0.0.0.0:7", "tcp:[::]:7", 1, 0},
    {"tcp:0.0.0.0:7", "tcp:[::]:7", 0, 1},
    {"tcp:127.0.0.1:7", "tcp:[::]:7", 0, 1},
    {"tcp:[::]:7", "tcp:[::1]:7", 1, 1},
    {"tcp:[::1]:7", "tcp:[::2]:7", 1, 0},
    {"tcp:[::1]:7", "tcp:127.0.0.1:7", 0, 0},
    {"tcp:[::ffff:127.0.0.1]:7", "tcp:127.0.0.1:7", 0, 1},
    {"tcp:[::ffff:127.0.0.1]:7", "tcp:127.0.0.2:7", 0, 0},
    {"tcp:[::ffff:127.0.0.1]:7", "tcp:0.0.0.0:7", 0, 1},
    {"tcp:[::ffff:127.0.0.1]:7", "tcp:[::]:7", 0, 1},
    {"tcp:[::ffff:127.0.0.1]:7", "tcp:[::1]:7", 0, 0},
    {"tcp:[fe80::1%1]:7", "tcp:[fe80::1%1]:7", 1, 1},
    {"tcp:[fe80::1%1]:7", "tcp:[fe80::1%2]:7", 1, 0},
    {"unix-stream:/a", "unix-dgram:/a", 1, 1},
    {"unix-stream:/a", "unix-stream:/b", 1, 0},
    {"unix-stream:@a", "unix-seqpacket:@a", 1, 1},
    {"unix-stream:@/a", "unix-stream:/a", 1, 0},
    {"unix-stream:/a", "tcp:127.0.0.1:7", 1, 0},
};

static struct record_socket
socket_of(const char *text, int v6only)
{
	struct record_socket sock;
	struct address_list list;
	struct reason reason;

	ck_assert_int_eq(address_parse(&list, text, &reason), 0);
	memset(&sock, 0, sizeof(sock));
	sock.kind = list.items[0].kind;
	sock.address = list.items[0].storage;
	sock.address_length = list.items[0].length;
	sock.flags = v6only ? RECORD_V6ONLY : 0;
	memcpy(sock.name, list.items[0].name, RECORD_NAME_SIZE);
	address_list_done(&list);
	return sock;
}

/* Adds a socket of that line to out. */
static void
add(struct output *out, const char *text, int v6only, unsigned int line)
{
	struct record *record = output_add(out, RECORD_ENDPOINT, AT_LINE(line));

	ck_assert_ptr_nonnull(record);
	record->u.socket = socket_of(text, v6only);
	memcpy(record->u.endpoint.listener, "www", 4);
}

static void
check_pair(const char *a, const char *b, int v6only, size_t overlap)
{
	struct output out;

	output_init(&out);
	add(&out, a, v6only, 1);
	add(&out, b, v6only, 2);
	overlap_check(&out);
	ck_assert_uint_eq(out.diagnostics.errors, overlap);
	output_done(&out);
}

START_TEST(a_pair_overlaps_or_not_in_either_order)
{
	const char *a = pairs[_i].a, *b = pairs[_i].b;

	check_pair(a, b, pairs[_i].v6only, (size_t)pairs[_i].overlap);
	check_pair(b, a, pairs[_i].v6only, (size_t)pairs[_i].overlap);
	check_pair(a, a, pairs[_i].v6only, 1);
}
END_TEST

/* Gives a listening or bound socket as the monitor makes it, on port (0: any),
 * or -1 with errno. */
static int
open_socket(struct record_socket *sock, in_port_t port, int v6only)
{
	struct sockaddr_in *in = (void *)&sock->address;
	int one = 1, failed;
	int fd = socket(sock->address.ss_family,
	    record_socket_type(sock->kind) | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	in->sin_port = port;
	if (sock->kind == RECORD_TCP)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sock->address.ss_family == AF_INET6)
		setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	failed = bind(
	    fd, (const struct sockaddr *)&sock->address, sock->address_length);
	if (failed == 0 && record_has_connections(sock))
		failed = listen(fd, 1);
	return failed == 0 ? fd : fd_close(fd);
}

START_TEST(the_kernel_agrees_where_it_can_be_asked)
{
	struct record_socket a = socket_of(pairs[_i].a, pairs[_i].v6only);
	struct record_socket b = socket_of(pairs[_i].b, pairs[_i].v6only);
	struct sockaddr_in bound;
	socklen_t length = sizeof(bound);
	int first, second;

	/* Pairs of endpoints on one port, with addresses that every machine
	 * has. */
	if (a.address.ss_family == AF_UNIX || b.address.ss_family == AF_UNIX ||
	    strstr(pairs[_i].b, ":8") != NULL)
		return;
	first = open_socket(&a, 0, pairs[_i].v6only);
	if (first == -1)
		return;
	getsockname(first, (struct sockaddr *)&bound, &length);
	second = open_socket(&b, bound.sin_port, pairs[_i].v6only);
	if (second != -1 || errno == EADDRINUSE)
		ck_assert_msg((second == -1) == pairs[_i].overlap,
		    "%s and %s: the kernel says %s", pairs[_i].a, pairs[_i].b,
		    second == -1 ? "overlap" : "no overlap");
	fd_close(second);
	fd_close(first);
}
END_TEST

START_TEST(the_later_endpoint_is_reported_with_the_first_that_it_meets)
{
	struct output out;

	output_init(&out);
	add(&out, "tcp:127.0.0.1:7", 1, 3);
	add(&out, "udp:127.0.0.1:7", 1, 4);
	add(&out, "tcp:127.0.0.2:7", 1, 5);
	add(&out, "tcp:0.0.0.0:7", 1, 6);
	overlap_check(&out);
	diagnostic_expect_only(&out.diagnostics, 6,
	    "listen: \"tcp:0.0.0.0:7\" overlaps \"tcp:127.0.0.1:7\" of "
	    "listener \"www\" in line 3: expected addresses that do not "
	    "include each other",
	    "overlap");
	output_done(&out);
}
END_TEST

START_TEST(two_lines_are_one_report_for_a_port)
{
	struct output out;

	output_init(&out);
	add(&out, "tcp:0.0.0.0:7", 1, 3);
	add(&out, "tcp:[::]:7", 1, 3);
	add(&out, "tcp:0.0.0.0:7", 1, 9);
	add(&out, "tcp:[::]:7", 1, 9);
	add(&out, "unix-stream:/a", 1, 3);
	add(&out, "unix-stream:/a", 1, 9);
	overlap_check(&out);
	ck_assert_uint_eq(out.diagnostics.errors, 2);
	output_done(&out);
}
END_TEST

START_TEST(one_line_of_two_files_is_two_lines)
{
	struct output out;

	output_init(&out);
	ck_assert_int_eq(diagnostics_add_file(&out.diagnostics, "main"), 0);
	ck_assert_int_eq(diagnostics_add_file(&out.diagnostics, "other"), 1);
	add(&out, "tcp:0.0.0.0:7", 1, 3);
	add(&out, "tcp:127.0.0.1:7", 1, 3);
	add(&out, "tcp:127.0.0.2:7", 1, 3);
	out.at[2].file = 1;
	overlap_check(&out);
	ck_assert_uint_eq(out.diagnostics.errors, 2);
	ck_assert_ptr_nonnull(strstr(out.diagnostics.items[0].text,
	    "of listener \"www\" in line 3: expected"));
	ck_assert_ptr_nonnull(strstr(out.diagnostics.items[1].text,
	    "of listener \"www\" in main:3: expected"));
	output_done(&out);
}
END_TEST

UNIT_SUITE(overlap)
{
	TCase *tc = unit_case(suite, "overlap");
	int count = (int)(sizeof(pairs) / sizeof(pairs[0]));

	tcase_add_loop_test(
	    tc, a_pair_overlaps_or_not_in_either_order, 0, count);
	tcase_add_loop_test(
	    tc, the_kernel_agrees_where_it_can_be_asked, 0, count);
	tcase_add_test(
	    tc, the_later_endpoint_is_reported_with_the_first_that_it_meets);
	tcase_add_test(tc, two_lines_are_one_report_for_a_port);
	tcase_add_test(tc, one_line_of_two_files_is_two_lines);
}
