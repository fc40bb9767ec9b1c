/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that connections leave for other uses.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/handoff/fd_reserve.h"

#include <sys/resource.h>

#include <fcntl.h>

static struct fd_reserve reserve;

static void
start(rlim_t limit)
{
	struct rlimit rlimit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rlimit), 0);
	rlimit.rlim_cur = limit;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rlimit), 0);
	fd_reserve_init(&reserve);
}

/* Opens a descriptor, as for a connection. */
static int
take(void)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	reserve.last = fd;
	return fd;
}

static const struct {
	rlim_t limit;
	int first; /* the reserve */
} limits[] = {{1024, 1008}, {64, 48}, {63, 48}, {40, 30}};

START_TEST(the_last_are_kept)
{
	int fd;

	start(limits[_i].limit);
	do {
		ck_assert(fd_reserve_is_left(&reserve));
		fd = take();
	} while (fd < limits[_i].first - 1);
	ck_assert(
	    fd_reserve_is_left(&reserve)); /* the limit has not been reached */
	fd = take();
	ck_assert_int_eq(fd, limits[_i].first);
	ck_assert(!fd_reserve_is_left(&reserve));
	/* Others use the reserve up. */
	for (int last = fd + 1; last < (int)limits[_i].limit; last++)
		ck_assert_int_eq(fcntl(0, F_DUPFD_CLOEXEC, 0), last);
	ck_assert(!fd_reserve_is_left(&reserve));
	for (int last = fd + 1; last < (int)limits[_i].limit; last++)
		fd_close(last);
	ck_assert(!fd_reserve_is_left(&reserve));
	fd_close(fd);
	ck_assert(!fd_reserve_is_left(&reserve));
	fd_close(fd - 1);
	ck_assert(fd_reserve_is_left(&reserve));
	for (fd -= 2; fd > 2; fd--)
		fd_close(fd);
}
END_TEST

START_TEST(what_is_left_is_asked_for_if_it_seems_little)
{
	start(1024);
	reserve.last = 1000; /* has been closed since */
	ck_assert_uint_eq(fd_reserve_left(&reserve, 8), 8);
	ck_assert_uint_gt(fd_reserve_left(&reserve, 9), 900);
	reserve.last = 1008;
	ck_assert_uint_gt(fd_reserve_left(&reserve, 0), 900);
	reserve.first = 1;
	ck_assert_uint_eq(fd_reserve_left(&reserve, 0), 0);
}
END_TEST

UNIT_SUITE(fd_reserve)
{
	TCase *tc = tcase_create("fd reserve");

	tcase_add_loop_test(tc, the_last_are_kept, 0, (int)UNIT_COUNT(limits));
	tcase_add_test(tc, what_is_left_is_asked_for_if_it_seems_little);
	suite_add_tcase(suite, tc);
}
