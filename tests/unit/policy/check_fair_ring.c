/* SPDX-License-Identifier: ISC */
/*
 * Sources in turn: none waits for more than one of each other, and none has
 * more than is left for the others.
 */
#include "fixture/unit.h"

#include "engine/policy/fair_ring.h"

#include <string.h>

#define SOURCES 8
#define MOST 1000

static struct fair_ring ring;
static struct fair_share shares[SOURCES];

static void
begin(void)
{
	fair_ring_init(&ring);
	memset(shares, 0, sizeof(shares));
}

static void
add(size_t which, size_t count)
{
	while (count-- > 0)
		fair_ring_add(&ring, &shares[which]);
}

/* Returns which source was served. */
static size_t
take(void)
{
	struct fair_share *next = fair_ring_next(&ring);

	ck_assert_ptr_nonnull(next);
	fair_ring_take(&ring, next);
	return (size_t)(next - shares);
}

START_TEST(an_empty_ring_has_nobody)
{
	begin();
	ck_assert_ptr_null(fair_ring_next(&ring));
	ck_assert_uint_eq(ring.count, 0);
	ck_assert_uint_eq(ring.sources, 0);
}
END_TEST

START_TEST(sources_take_turns_whatever_each_has)
{
	begin();
	add(0, 100);
	add(1, 3);
	add(2, 1);
	ck_assert_uint_eq(ring.sources, 3);
	ck_assert_uint_eq(take(), 0);
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(take(), 2);
	add(3, 1); /* comes last, and is next but two */
	ck_assert_uint_eq(take(), 0);
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(take(), 3);
	ck_assert_uint_eq(take(), 0);
	ck_assert_uint_eq(take(), 1);
	for (int i = 0; i < 97; i++)
		ck_assert_uint_eq(take(), 0);
	ck_assert_ptr_null(fair_ring_next(&ring));
	ck_assert_uint_eq(ring.sources, 0);
}
END_TEST

/* As many flood as the loop says; each takes what it may. */
START_TEST(however_many_flood_there_is_room_for_one_more)
{
	size_t flooding = (size_t)_i, any = 1;

	begin();
	while (any != 0) {
		any = 0;
		for (size_t i = 0; i < flooding; i++)
			if (fair_ring_may_add(&ring, &shares[i], MOST)) {
				add(i, 1);
				any = 1;
			}
	}
	for (size_t i = 0; i < flooding; i++) {
		ck_assert_uint_ge(shares[i].count, MOST / (flooding + 1) - 1);
		ck_assert_uint_le(shares[i].count, MOST / (flooding + 1) + 1);
	}
	ck_assert(fair_ring_may_add(&ring, &shares[flooding], MOST));
}
END_TEST

START_TEST(no_more_wait_than_may)
{
	begin();
	for (size_t i = 0; i < SOURCES; i++)
		if (fair_ring_may_add(&ring, &shares[i], 3))
			add(i, 1);
	ck_assert_uint_eq(ring.count, 3);
	ck_assert(!fair_ring_may_add(&ring, &shares[0], 0));
}
END_TEST

UNIT_SUITE(fair_ring)
{
	TCase *tc = unit_case(suite, "fair_ring");

	tcase_add_test(tc, an_empty_ring_has_nobody);
	tcase_add_test(tc, sources_take_turns_whatever_each_has);
	tcase_add_loop_test(
	    tc, however_many_flood_there_is_room_for_one_more, 1, SOURCES);
	tcase_add_test(tc, no_more_wait_than_may);
}
