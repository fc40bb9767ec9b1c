/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: which lent sockets are here, and when that is all.
 */
#include "exec/sockets.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdio.h>
#include <unistd.h>

static char first[] = "a", second[] = "b";
static char *names[] = {first, second};
static struct sockets sockets;

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

static void
add(const char *listener, unsigned int index, unsigned int count,
    enum sockets_verdict expected)
{
	struct fdrecv_handoff h = lent(listener, index, count);

	ck_assert_int_eq(sockets_add(&sockets, &h, -1), expected);
	if (expected != SOCKETS_TAKEN)
		close(h.fd);
}

START_TEST(all_endpoints_of_all_listeners_have_to_come)
{
	ck_assert_int_eq(sockets_init(&sockets, names, 2), 0);
	ck_assert(!sockets_complete(&sockets));
	add("b", 0, 2, SOCKETS_TAKEN);
	add("a", 0, 1, SOCKETS_TAKEN);
	ck_assert(!sockets_complete(&sockets));
	add("b", 1, 2, SOCKETS_TAKEN);
	ck_assert(sockets_complete(&sockets));
	sockets_done(&sockets);
}
END_TEST

START_TEST(they_are_in_the_order_of_the_names)
{
	ck_assert_int_eq(sockets_init(&sockets, names, 2), 0);
	add("b", 1, 2, SOCKETS_TAKEN);
	add("a", 1, 2, SOCKETS_TAKEN);
	add("b", 0, 2, SOCKETS_TAKEN);
	add("a", 0, 2, SOCKETS_TAKEN);
	sockets_sort(&sockets);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(sockets.items[i].listener, i / 2);
		ck_assert_uint_eq(sockets.items[i].index, i % 2);
	}
	sockets_done(&sockets);
}
END_TEST

START_TEST(one_that_is_here_is_not_counted_again)
{
	struct fdrecv_handoff h = lent("a", 0, 2), again = h;

	ck_assert_int_eq(sockets_init(&sockets, names, 1), 0);
	ck_assert_int_eq(sockets_add(&sockets, &h, -1), SOCKETS_TAKEN);
	again.fd = dup(h.fd);
	again.endpoint_index = 1; /* by another engine's configuration */
	ck_assert_int_eq(sockets_add(&sockets, &again, -1), SOCKETS_NOT_OURS);
	close(again.fd);
	ck_assert(!sockets_complete(&sockets));
	add("a", 0, 2, SOCKETS_TAKEN);
	ck_assert(sockets_complete(&sockets));
	sockets_done(&sockets);
}
END_TEST

/* A broker that was replaced meanwhile may have more or fewer of them. */
START_TEST(the_last_one_says_how_many_there_are)
{
	ck_assert_int_eq(sockets_init(&sockets, names, 1), 0);
	add("a", 0, 2, SOCKETS_TAKEN);
	add("a", 1, 3, SOCKETS_TAKEN);
	ck_assert(!sockets_complete(&sockets));
	add("a", 2, 3, SOCKETS_TAKEN);
	ck_assert(sockets_complete(&sockets));
	sockets_done(&sockets);
}
END_TEST

/* Adds one that listens, and returns it. */
static int
add_listening(const char *listener, unsigned int index, unsigned int count)
{
	struct fdrecv_handoff h = lent(listener, index, count);
	struct sockaddr_un any = {.sun_family = AF_UNIX};

	ck_assert_int_eq(
	    bind(h.fd, (struct sockaddr *)&any, sizeof(any.sun_family)), 0);
	ck_assert_int_eq(listen(h.fd, 1), 0);
	ck_assert_int_eq(sockets_add(&sockets, &h, -1), SOCKETS_TAKEN);
	return h.fd;
}

START_TEST(one_that_was_shut_down_is_of_another_time)
{
	int fd;

	ck_assert_int_eq(sockets_init(&sockets, names, 2), 0);
	add_listening("a", 0, 1);
	fd = add_listening("b", 0, 1);
	ck_assert_int_eq(sockets_changed(&sockets), -1);
	ck_assert_int_eq(shutdown(fd, SHUT_RDWR), 0);
	ck_assert_int_eq(sockets_changed(&sockets), 1);
	sockets_done(&sockets);
}
END_TEST

START_TEST(more_than_there_are_were_of_another_time)
{
	ck_assert_int_eq(sockets_init(&sockets, names, 2), 0);
	add_listening("b", 0, 2);
	add_listening("a", 0, 2);
	add_listening("a", 1, 2);
	ck_assert_int_eq(sockets_changed(&sockets), -1);
	add_listening("a", 0, 2);
	ck_assert(!sockets_complete(&sockets));
	ck_assert_int_eq(sockets_changed(&sockets), 0);
	sockets_done(&sockets);
}
END_TEST

START_TEST(others_and_connections_are_not_taken)
{
	struct fdrecv_handoff h = lent("a", 0, 1);

	ck_assert_int_eq(sockets_init(&sockets, names, 2), 0);
	add("c", 0, 1, SOCKETS_NOT_OURS);
	add("", 0, 1, SOCKETS_NOT_OURS);
	h.kind = FDRECV_CONNECTION;
	ck_assert_int_eq(sockets_add(&sockets, &h, -1), SOCKETS_CONNECTION);
	ck_assert_uint_eq(sockets.count, 0);
	ck_assert_uint_eq(sockets.expected[0], 0);
	close(h.fd);
	sockets_done(&sockets);
}
END_TEST

START_TEST(one_without_a_name_is_of_the_only_listener)
{
	struct fdrecv_handoff h = lent("", 0, 1);

	ck_assert_int_eq(sockets_init(&sockets, names, 2), 0);
	ck_assert_int_eq(sockets_add(&sockets, &h, 1), SOCKETS_TAKEN);
	ck_assert_uint_eq(sockets.items[0].listener, 1);
	ck_assert_int_eq(sockets_find(&sockets, "a", 1), 0);
	sockets_done(&sockets);
}
END_TEST

UNIT_SUITE(sockets)
{
	TCase *tc = unit_case(suite, "exec_sockets");

	tcase_add_test(tc, all_endpoints_of_all_listeners_have_to_come);
	tcase_add_test(tc, they_are_in_the_order_of_the_names);
	tcase_add_test(tc, one_that_is_here_is_not_counted_again);
	tcase_add_test(tc, the_last_one_says_how_many_there_are);
	tcase_add_test(tc, one_that_was_shut_down_is_of_another_time);
	tcase_add_test(tc, more_than_there_are_were_of_another_time);
	tcase_add_test(tc, others_and_connections_are_not_taken);
	tcase_add_test(tc, one_without_a_name_is_of_the_only_listener);
}
