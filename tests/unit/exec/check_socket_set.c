/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: which lent sockets have arrived, and whether these are all.
 */
#include "exec/socket_set.h"
#include "fixture/unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char first[] = "a", second[] = "b";
static char *names[] = {first, second};
static struct socket_set set;

/* A lent socket of a listener. */
static struct fdrecv_handoff
lent(const char *listener, unsigned int index, unsigned int count)
{
	struct fdrecv_handoff h = FDRECV_HANDOFF_INIT;

	h.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(h.fd, -1);
	h.kind = FDRECV_LISTENER;
	snprintf(h.listener, sizeof(h.listener), "%s", listener);
	h.endpoint_index = index;
	h.endpoint_count = count;
	return h;
}

static size_t
listener_of(const struct fdrecv_handoff *h)
{
	return strcmp(names[0], h->listener) == 0 ? 0 : 1;
}

static void
add(const char *listener, unsigned int index, unsigned int count)
{
	struct fdrecv_handoff h = lent(listener, index, count);

	ck_assert(socket_set_add(&set, &h, listener_of(&h)));
}

START_TEST(all_endpoints_of_all_listeners_have_to_come)
{
	socket_set_init(&set, names, 2);
	ck_assert_ptr_nonnull(socket_set_missing(&set));
	add("b", 0, 2);
	ck_assert_ptr_eq(socket_set_missing(&set), &set.listeners[0]);
	add("a", 0, 1);
	ck_assert_ptr_eq(socket_set_missing(&set), &set.listeners[1]);
	add("b", 1, 2);
	ck_assert_ptr_null(socket_set_missing(&set));
	socket_set_done(&set);
}
END_TEST

START_TEST(they_are_in_the_order_of_the_names)
{
	socket_set_init(&set, names, 2);
	add("b", 1, 2);
	add("a", 1, 2);
	add("b", 0, 2);
	add("a", 0, 2);
	socket_set_sort(&set);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_ptr_eq(set.items[i].listener, &set.listeners[i / 2]);
		ck_assert_uint_eq(set.items[i].index, i % 2);
	}
	socket_set_done(&set);
}
END_TEST

START_TEST(one_that_is_here_is_not_counted_again)
{
	struct fdrecv_handoff h = lent("a", 0, 2), again = h;

	socket_set_init(&set, names, 1);
	ck_assert(socket_set_add(&set, &h, listener_of(&h)));
	again.fd = dup(h.fd);
	again.endpoint_index = 1; /* by another engine's configuration */
	ck_assert(!socket_set_add(&set, &again, listener_of(&again)));
	close(again.fd);
	ck_assert_ptr_nonnull(socket_set_missing(&set));
	add("a", 0, 2);
	ck_assert_ptr_null(socket_set_missing(&set));
	socket_set_done(&set);
}
END_TEST

/* A broker that was replaced meanwhile may have more or fewer of them. */
START_TEST(the_last_one_says_how_many_there_are)
{
	socket_set_init(&set, names, 1);
	add("a", 0, 2);
	add("a", 1, 3);
	ck_assert_ptr_nonnull(socket_set_missing(&set));
	add("a", 2, 3);
	ck_assert_ptr_null(socket_set_missing(&set));
	socket_set_done(&set);
}
END_TEST

/* Adds a listening socket and returns it. */
static int
add_listening(const char *listener, unsigned int index, unsigned int count)
{
	struct fdrecv_handoff h = lent(listener, index, count);
	struct sockaddr_un any = {.sun_family = AF_UNIX};

	ck_assert_int_eq(
	    bind(h.fd, (struct sockaddr *)&any, sizeof(any.sun_family)), 0);
	ck_assert_int_eq(listen(h.fd, 1), 0);
	ck_assert(socket_set_add(&set, &h, listener_of(&h)));
	return h.fd;
}

START_TEST(one_that_was_shut_down_is_of_another_time)
{
	int fd;

	socket_set_init(&set, names, 2);
	add_listening("a", 0, 1);
	fd = add_listening("b", 0, 1);
	ck_assert_ptr_null(socket_set_changed(&set));
	ck_assert_int_eq(shutdown(fd, SHUT_RDWR), 0);
	ck_assert_ptr_eq(socket_set_changed(&set), &set.listeners[1]);
	socket_set_done(&set);
}
END_TEST

START_TEST(more_than_there_are_were_of_another_time)
{
	socket_set_init(&set, names, 2);
	add_listening("b", 0, 2);
	add_listening("a", 0, 2);
	add_listening("a", 1, 2);
	ck_assert_ptr_null(socket_set_changed(&set));
	add_listening("a", 0, 2);
	ck_assert_ptr_nonnull(socket_set_missing(&set));
	ck_assert_ptr_eq(socket_set_changed(&set), &set.listeners[0]);
	socket_set_done(&set);
}
END_TEST

START_TEST(an_address_is_described_as_nginx_writes_it)
{
	static const struct {
		union {
			struct sockaddr any;
			struct sockaddr_in in;
			struct sockaddr_in6 in6;
			struct sockaddr_un un;
		} address;
		socklen_t length;
		const char *text;
	} addresses[] = {
	    {{.in = {.sin_family = AF_INET}}, sizeof(struct sockaddr_in),
		"0.0.0.0:"},
	    {{.in6 = {.sin6_family = AF_INET6}}, sizeof(struct sockaddr_in6),
		"[::]:"},
	    {{.un = {AF_UNIX, "\0check-socket-set"}}, 2 + 17,
		"unix:@check-socket-set"},
	};
	struct sockaddr_in6 bound;
	socklen_t length = sizeof(bound);
	struct socket_set_item item;
	char text[SOCKET_SET_TEXT_SIZE], expected[SOCKET_SET_TEXT_SIZE];

	item.fd = socket(
	    addresses[_i].address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    bind(item.fd, &addresses[_i].address.any, addresses[_i].length), 0);
	getsockname(item.fd, (struct sockaddr *)&bound, &length);
	snprintf(expected, sizeof(expected), "%s", addresses[_i].text);
	if (addresses[_i].address.any.sa_family != AF_UNIX)
		snprintf(expected, sizeof(expected), "%s%u", addresses[_i].text,
		    ntohs(bound.sin6_port)); /* where sockaddr_in has it */
	socket_set_describe(&item, text);
	ck_assert_str_eq(text, expected);
	close(item.fd);
}
END_TEST

UNIT_SUITE(socket_set)
{
	TCase *tc = unit_case(suite, "exec_sockets");

	tcase_add_test(tc, all_endpoints_of_all_listeners_have_to_come);
	tcase_add_test(tc, they_are_in_the_order_of_the_names);
	tcase_add_test(tc, one_that_is_here_is_not_counted_again);
	tcase_add_test(tc, the_last_one_says_how_many_there_are);
	tcase_add_test(tc, one_that_was_shut_down_is_of_another_time);
	tcase_add_test(tc, more_than_there_are_were_of_another_time);
	tcase_add_loop_test(
	    tc, an_address_is_described_as_nginx_writes_it, 0, 3);
}
