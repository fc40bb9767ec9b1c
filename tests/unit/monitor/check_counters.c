/* SPDX-License-Identifier: ISC */
/*
 * The memory of counters that the monitor carries from engine to engine.
 */
#include "fixture/unit.h"

#include "base/clock.h"
#include "base/fd.h"
#include "monitor/counters.h"

#include <sys/mman.h>

#include <fcntl.h>

static struct counters counters;
static struct inherited inherited;

static int
memory(int seals)
{
	int fd = memfd_create("unit", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int
count(void)
{
	int found = 0;

	for (int i = 0; i < COUNTERS_MAX; i++)
		found += counters.files[i].fd != -1;
	return found;
}

static void
done(void)
{
	for (int i = 0; i < COUNTERS_MAX; i++)
		fd_close(counters.files[i].fd);
	inherited_done(&inherited);
}

START_TEST(there_are_no_more_than_a_number_of_them)
{
	counters_inherit(&counters, &inherited);
	ck_assert_int_eq(count(), 0);
	for (int i = 0; i < COUNTERS_MAX; i++) {
		struct counters_file *file = counters_new(&counters);

		ck_assert_ptr_eq(file, &counters.files[i]);
		ck_assert_int_eq(fcntl(file->fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(fcntl(file->fd, F_GET_SEALS), 0);
	}
	ck_assert_ptr_null(counters_new(&counters));
	done();
}
END_TEST

START_TEST(sums_replace_what_an_engine_was_told_of)
{
	struct counters_file *told, *later, *lives, *sums;

	counters_inherit(&counters, &inherited);
	told = counters_new(&counters);
	later = counters_new(&counters);
	lives = counters_new(&counters);
	sums = counters_new(&counters);
	told->ends_ms = 0;
	later->ends_ms = 1;
	lives->ends_ms = COUNTERS_LIVES;
	counters_replace(&counters, &sums);
	ck_assert_ptr_null(sums);
	ck_assert_int_eq(count(), 3);
	ck_assert_int_eq(told->fd, -1);
	ck_assert_int_ne(later->fd, -1);
	ck_assert_int_ne(lives->fd, -1);
	ck_assert_uint_eq(counters.files[3].ends_ms, 0);
	done();
}
END_TEST

START_TEST(what_is_new_is_dropped_and_all_else_kept)
{
	struct counters_file *one, *other, *none = NULL;

	counters_inherit(&counters, &inherited);
	one = counters_new(&counters);
	other = counters_new(&counters);
	other->ends_ms = COUNTERS_LIVES;
	counters_end(&one);
	counters_end(&other);
	counters_end(&none);
	ck_assert_ptr_null(one);
	ck_assert_ptr_null(other);
	ck_assert_int_eq(counters.files[0].fd, -1);
	ck_assert_int_ne(counters.files[1].fd, -1);
	ck_assert_uint_eq(counters.files[1].ends_ms, 1);
	done();
}
END_TEST

/* The size does not matter, and what is in it even less. */
START_TEST(memory_that_is_sealed_is_inherited)
{
	int living = memory(F_SEAL_SHRINK);
	int sums = memory(F_SEAL_SHRINK | F_SEAL_SEAL);

	inherited_add(&inherited, memory(0), NULL);
	inherited_add(
	    &inherited, open("/dev/null", O_RDONLY | O_CLOEXEC), NULL);
	inherited_add(&inherited, sums, NULL);
	inherited_add(&inherited, living, NULL);
	ck_assert_ptr_eq(
	    counters_inherit(&counters, &inherited), &counters.files[1]);
	ck_assert_int_eq(count(), 2);
	ck_assert_int_eq(counters.files[0].fd, sums);
	ck_assert_uint_eq(counters.files[0].ends_ms, 0);
	ck_assert_int_eq(counters.files[1].fd, living);
	ck_assert_uint_gt(counters.files[1].ends_ms, clock_ms());
	ck_assert_uint_lt(counters.files[1].ends_ms, COUNTERS_NEW);
	done();
}
END_TEST

START_TEST(a_hostile_orphan_leaves_room_for_new_ones)
{
	for (int i = 0; i < COUNTERS_MAX; i++)
		inherited_add(&inherited, memory(F_SEAL_SHRINK), NULL);
	counters_inherit(&counters, &inherited);
	ck_assert_int_eq(count(), COUNTERS_MAX / 2);
	ck_assert_ptr_nonnull(counters_new(&counters));
	done();
}
END_TEST

UNIT_SUITE(counters)
{
	TCase *tc = unit_case(suite, "counters");

	tcase_add_test(tc, there_are_no_more_than_a_number_of_them);
	tcase_add_test(tc, sums_replace_what_an_engine_was_told_of);
	tcase_add_test(tc, what_is_new_is_dropped_and_all_else_kept);
	tcase_add_test(tc, memory_that_is_sealed_is_inherited);
	tcase_add_test(tc, a_hostile_orphan_leaves_room_for_new_ones);
}
