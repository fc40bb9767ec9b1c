/* SPDX-License-Identifier: ISC */
/*
 * Shares in simulated pools, and the heap that finds the next one.
 */
#include "fixture/unit.h"

#include "engine/policy/share.h"

#include <string.h>

#define WORKERS_MAX 4
#define ROUND 10000

static struct worker {
	struct share share;
	size_t outstanding;
	unsigned int got;
} workers[WORKERS_MAX];

static size_t count;
static struct share_heap heap;
static uint64_t turn;
static int differ;

static void
queue(size_t i)
{
	struct share *share = &workers[i].share;

	if (share->is_queued)
		share_heap_remove(&heap, share);
	share->turn = ++turn;
	share_heap_add(
	    &heap, share, share_rank(share, workers[i].outstanding, differ));
}

static void
add(uint32_t weight, uint64_t base)
{
	workers[count] = (struct worker){.outstanding = 0};
	share_init(&workers[count].share, weight, base);
	workers[count].share.owner = &workers[count];
	differ |= weight != workers[0].share.weight;
	count++;
	for (size_t i = 0; i < count; i++)
		queue(i);
}

static size_t
pick(void)
{
	const struct worker *next = heap.next->owner;

	return (size_t)(next - workers);
}

/* Hands off n connections, each confirmed before the next. */
static void
give(unsigned int n)
{
	for (size_t i = 0; i < count; i++)
		workers[i].got = 0;
	for (; n > 0; n--) {
		size_t best = pick();

		share_take(&workers[best].share);
		workers[best].got++;
		queue(best);
	}
}

START_TEST(of_equal_weights_the_one_with_least_outstanding_is_next)
{
	const struct share little = {.weight = 100, .pass = 10};
	const struct share much = {.weight = 100, .pass = 1000000};

	/* Whatever was given to each before. */
	ck_assert_uint_lt(share_rank(&much, 3, 0), share_rank(&little, 4, 0));
	ck_assert_uint_lt(share_rank(&little, 0, 0), share_rank(&much, 1, 0));
}
END_TEST

START_TEST(of_other_weights_what_was_given_decides)
{
	const struct share a = {.weight = 95, .pass = 10};
	const struct share b = {.weight = 5, .pass = 11};

	ck_assert_uint_lt(share_rank(&a, 60, 1), share_rank(&b, 0, 1));
}
END_TEST

START_TEST(among_equals_the_one_whose_turn_is_the_oldest_is_next)
{
	for (size_t i = 0; i < WORKERS_MAX; i++)
		add(100, 0);
	for (size_t n = 0; n < 3 * WORKERS_MAX; n++) {
		ck_assert_uint_eq(pick(), n % WORKERS_MAX);
		queue(pick());
	}
}
END_TEST

#define HEAP_MOST 300

static int
is_before(const struct share *a, const struct share *b)
{
	return a->rank < b->rank || (a->rank == b->rank && a->turn < b->turn);
}

/* Compared with a search through all, after random changes. */
START_TEST(the_heap_has_the_next_one_at_its_head)
{
	static struct share all[HEAP_MOST];
	struct share_heap many = {NULL};
	uint32_t random = (uint32_t)_i + 1;

	memset(all, 0, sizeof(all));
	for (uint64_t n = 1; n < 20000; n++) {
		struct share *changed, *best = NULL;

		random = random * 1664525 + 1013904223;
		changed = &all[(random >> 16) % HEAP_MOST];
		if (changed->is_queued)
			share_heap_remove(&many, changed);
		if ((random >> 12) % 4 != 0) {
			changed->turn = n;
			share_heap_add(&many, changed, (random >> 8) % 8);
		}
		for (size_t i = 0; i < HEAP_MOST; i++)
			if (all[i].is_queued &&
			    (best == NULL || is_before(&all[i], best)))
				best = &all[i];
		ck_assert_ptr_eq(many.next, best);
	}
}
END_TEST

START_TEST(equal_weights_share_equally_when_receipts_come_in_their_order)
{
	for (size_t i = 0; i < 4; i++)
		add(100, 0);
	for (size_t n = 0; n < 64; n++) {
		size_t best = pick();

		share_take(&workers[best].share);
		workers[best].outstanding++;
		queue(best);
	}
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(workers[i].outstanding, 16);
}
END_TEST

/* Shares of 10000; rounding and the first hand-offs make the tolerance. */
static const struct {
	uint32_t weights[WORKERS_MAX];
	unsigned int shares[WORKERS_MAX];
	unsigned int error;
} shares[] = {
    {{5, 95}, {500, 9500}, 5}, {{95, 5}, {9500, 500}, 5},
    {{1, 10000}, {1, 9999}, 1}, {{1, 2}, {3333, 6667}, 5},
    {{100, 300}, {2500, 7500}, 5},
    {{10, 20, 30, 40}, {1000, 2000, 3000, 4000}, 10},
    {{7000, 3000}, {7000, 3000}, 50}, /* the stride is a whole number */
};

START_TEST(other_weights_share_in_proportion)
{
	for (size_t i = 0; i < WORKERS_MAX && shares[_i].weights[i] != 0; i++)
		add(shares[_i].weights[i], 0);
	for (unsigned int n = 1; n <= 3; n++) {
		give(ROUND);
		for (size_t i = 0; i < count; i++)
			ck_assert_msg(workers[i].got + shares[_i].error >=
				    shares[_i].shares[i] &&
				workers[i].got <=
				    shares[_i].shares[i] + shares[_i].error,
			    "weight %u got %u of 10000, not %u",
			    workers[i].share.weight, workers[i].got,
			    shares[_i].shares[i]);
	}
}
END_TEST

START_TEST(a_small_share_is_spread_out)
{
	unsigned int since = 0;

	add(5, 0);
	add(95, 0);
	give(100);
	for (unsigned int n = 0; n < ROUND; n++) {
		size_t best = pick();

		share_take(&workers[best].share);
		queue(best);
		since = best == 0 ? 0 : since + 1;
		ck_assert_uint_le(since, 20);
	}
}
END_TEST

START_TEST(a_newcomer_begins_where_the_others_are)
{
	add(95, 0);
	add(5, 0);
	give(ROUND);
	add(100,
	    workers[0].share.pass < workers[1].share.pass ?
		workers[0].share.pass :
		workers[1].share.pass);
	give(2000);
	/* Half of them, and not all until it has caught up. */
	ck_assert_uint_ge(workers[2].got, 998);
	ck_assert_uint_le(workers[2].got, 1002);
	ck_assert_uint_ge(workers[1].got, 48);
	ck_assert_uint_le(workers[1].got, 52);
}
END_TEST

START_TEST(a_new_share_has_its_weight_and_begins_at_the_base)
{
	struct share share = {.weight = 1, .pass = 1};

	share_init(&share, 7, UINT64_C(1) << 40);
	ck_assert_uint_eq(share.weight, 7);
	ck_assert_uint_eq(share.pass, UINT64_C(1) << 40);
	share_take(&share);
	ck_assert_uint_gt(share.pass, UINT64_C(1) << 40);
}
END_TEST

UNIT_SUITE(share)
{
	TCase *tc = unit_case(suite, "share");

	tcase_add_test(
	    tc, of_equal_weights_the_one_with_least_outstanding_is_next);
	tcase_add_test(
	    tc, among_equals_the_one_whose_turn_is_the_oldest_is_next);
	tcase_add_loop_test(tc, the_heap_has_the_next_one_at_its_head, 0, 5);
	tcase_add_test(tc, of_other_weights_what_was_given_decides);
	tcase_add_test(
	    tc, equal_weights_share_equally_when_receipts_come_in_their_order);
	tcase_add_loop_test(
	    tc, other_weights_share_in_proportion, 0, (int)UNIT_COUNT(shares));
	tcase_add_test(tc, a_small_share_is_spread_out);
	tcase_add_test(tc, a_newcomer_begins_where_the_others_are);
	tcase_add_test(tc, a_new_share_has_its_weight_and_begins_at_the_base);
}
