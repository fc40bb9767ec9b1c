/* SPDX-License-Identifier: ISC */
/*
 * A set of inodes.
 */
#include "fixture/unit.h"

#include "engine/policy/inode_set.h"

#include <errno.h>

START_TEST(it_has_what_was_added)
{
	struct inode_set set = {.slots = NULL};

	ck_assert(!inode_set_has(&set, 1));
	for (uint32_t i = 1; i <= 1000; i++)
		for (int twice = 0; twice < 2; twice++)
			ck_assert_int_eq(inode_set_add(&set, i * 64), 0);
	ck_assert_uint_eq(set.count, 1000);
	for (uint32_t i = 0; i <= 64064; i++)
		ck_assert_int_eq(
		    inode_set_has(&set, i), i > 0 && i <= 64000 && i % 64 == 0);
	inode_set_done(&set);
	ck_assert(!inode_set_has(&set, 64));
	inode_set_done(&set);
}
END_TEST

START_TEST(one_too_many_is_an_error)
{
	struct inode_set set = {.slots = NULL};

	for (uint32_t i = 1; i <= INODE_SET_MOST; i++)
		ck_assert_int_eq(inode_set_add(&set, i), 0);
	ck_assert_int_eq(inode_set_add(&set, INODE_SET_MOST + 1), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
	ck_assert(inode_set_has(&set, INODE_SET_MOST));
	inode_set_done(&set);
}
END_TEST

/* Else each of them would be compared with all others. */
START_TEST(runs_with_the_same_last_bits_are_spread)
{
	struct inode_set set = {.slots = NULL};
	size_t used = 0, most = 0;

	for (uint32_t run = 1; run <= 4; run++)
		for (uint32_t i = 0; i < 1000; i++)
			ck_assert_int_eq(
			    inode_set_add(&set, (run << 24) + i), 0);
	for (size_t i = 0; i < set.slot_count; i++) {
		used = set.slots[i] == 0 ? 0 : used + 1;
		most = used > most ? used : most;
	}
	ck_assert_uint_lt(most, 100); /* slots in a row */
	inode_set_done(&set);
}
END_TEST

UNIT_SUITE(inode_set)
{
	TCase *tc = unit_case(suite, "inode_set");

	tcase_add_test(tc, it_has_what_was_added);
	tcase_add_test(tc, one_too_many_is_an_error);
	tcase_add_test(tc, runs_with_the_same_last_bits_are_spread);
}
