/* SPDX-License-Identifier: ISC */
/*
 * How many descriptors may be sent, by the kernel's own count.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/worker/in_flight.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#define LIMIT 1500
#define USER 60594 /* has no other process */

static unsigned int interruptions; /* of the next calls of recv() */

ssize_t
recv(int fd, void *bytes, size_t size, int flags)
{
	if (interruptions > 0) {
		interruptions--;
		errno = ENOMEM;
		return -1;
	}
	return recvfrom(fd, bytes, size, flags, NULL, NULL);
}

static void
send_one(int fd)
{
	const int sent = 0;

	unit_must(net_send(fd, "x", 1, &sent, 1) == 1);
}

/* The kernel lets a message pass as long as no more than the limit are in
 * flight, so one more than the limit fits. */
static void
compare(void *argument)
{
	const unsigned int counts[] = {0, 900, 1000, 1233, 1484, 1499, 1501};
	struct rlimit limit = {LIMIT, LIMIT};
	struct in_flight flight;
	unsigned int sent = 0;
	uint64_t left, real;
	int ends[2], wide = 1 << 24;

	(void)argument;
	unit_must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	unit_must(setresuid(USER, USER, USER) == 0);
	unit_must(in_flight_open(&flight) == 0 && flight.limit == LIMIT);
	unit_must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &wide, sizeof(wide));
	for (size_t i = 0; i < UNIT_COUNT(counts); i++) {
		for (; sent < counts[i]; sent++) {
			int many[100] = {0};

			if (counts[i] - sent >= 100) {
				unit_must(
				    net_send(ends[0], "x", 1, many, 100) == 1);
				sent += 99;
			} else {
				send_one(ends[0]);
			}
		}
		real = LIMIT + 1 - sent;
		left = in_flight_left(&flight);
		unit_must(left <= real);
		unit_must(real > 506 ? left + 506 >= real : left + 32 >= real);
		unit_must(real > 16 || left == real);
		unit_must(in_flight_left(&flight) == left);
	}
	in_flight_close(&flight);
	close(ends[0]);
	close(ends[1]);
}

START_TEST(it_agrees_with_the_kernel)
{
	if (geteuid() == 0)
		unit_in_child(compare, NULL);
	else
		unit_skip("only root has a second user");
}
END_TEST

static void
unlimited(void *argument)
{
	struct in_flight flight;

	(void)argument;
	unit_must(in_flight_open(&flight) == 0);
	unit_must(in_flight_left(&flight) == IN_FLIGHT_MOST);
	unit_must(in_flight_left(&flight) == IN_FLIGHT_MOST);
	in_flight_close(&flight);
	unit_must(flight.ends[0] == -1 && flight.ends[1] == -1);
}

/* Otherwise what was not received would be in the way for ever. */
static void
without_memory(void *argument)
{
	struct rlimit limit = {LIMIT, LIMIT};
	struct in_flight flight;
	uint64_t left;

	(void)argument;
	unit_must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	unit_must(setresuid(USER, USER, USER) == 0);
	unit_must(in_flight_open(&flight) == 0);
	left = in_flight_left(&flight);
	unit_must(left > LIMIT / 2);
	interruptions = 1;
	unit_must(in_flight_left(&flight) == left);
	unit_must(in_flight_left(&flight) == left);
	in_flight_close(&flight);
}

START_TEST(what_could_not_be_taken_back_is_the_next_time)
{
	if (geteuid() == 0)
		unit_in_child(without_memory, NULL);
	else
		unit_skip("only root has a second user");
}
END_TEST

START_TEST(more_are_not_counted)
{
	if (geteuid() == 0)
		unit_in_child(unlimited, NULL);
	else
		unit_skip("the kernel limits only ordinary users");
}
END_TEST

#define FILES 16384

/* The limit of an engine that begins when so many are unread. */
static void
limit_is(unsigned int unread, rlim_t expected)
{
	struct rlimit limit = {FILES, FILES};
	int ends[2], many[100] = {0};

	unit_must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (unsigned int sent = 0; sent < unread; sent += 100)
		unit_must(net_send(ends[0], "x", 1, many, 100) == 1);
	in_flight_leave_rest(FILES / 4);
	unit_must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	unit_must(limit.rlim_cur == expected && limit.rlim_max == expected);
	close(ends[0]);
	close(ends[1]);
}

static void
begin(void *argument)
{
	const unsigned int *unread = argument;
	struct rlimit limit = {FILES, FILES};

	unit_must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	unit_must(setresuid(USER, USER, USER) == 0);
	/* Half, and then an eighth more until as many may be sent. */
	limit_is(*unread,
	    *unread == 0            ? FILES / 2 :
		*unread < FILES / 2 ? FILES / 8 * 5 :
				      FILES / 8 * 6);
}

START_TEST(an_engine_gives_up_what_its_successor_needs)
{
	unsigned int unread[] = {0, 7500, 9000};
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (geteuid() != 0 || limit.rlim_max < FILES)
		unit_skip("only root has a second user, with many files");
	else
		unit_in_child(begin, &unread[_i]);
}
END_TEST

/* Too few, or too few for what it needs at first. */
static void
keep(void *argument)
{
	struct rlimit limit = {FILES - 1, FILES - 1};

	(void)argument;
	in_flight_leave_rest(FILES / 4 * 10);
	unit_must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	in_flight_leave_rest(0);
	unit_must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	unit_must(limit.rlim_cur == FILES - 1 && limit.rlim_max == FILES - 1);
}

START_TEST(an_engine_that_has_few_keeps_all)
{
	unit_in_child(keep, NULL);
}
END_TEST

UNIT_SUITE(in_flight)
{
	TCase *tc = unit_case(suite, "in flight");

	tcase_add_test(tc, it_agrees_with_the_kernel);
	tcase_add_test(tc, what_could_not_be_taken_back_is_the_next_time);
	tcase_add_test(tc, more_are_not_counted);
	tcase_add_loop_test(
	    tc, an_engine_gives_up_what_its_successor_needs, 0, 3);
	tcase_add_test(tc, an_engine_that_has_few_keeps_all);
}
