/* SPDX-License-Identifier: ISC */
/*
 * Shares in simulated pools; the next worker is picked as route_pick() does
 * it.
 */
#include "fixture/unit.h"

#include "engine/policy/share.h"

#define WORKERS_MAX 4
#define ROUND 10000

static struct worker {
	struct share share;
	size_t outstanding;
	unsigned int got;
} workers[WORKERS_MAX];

static size_t count;

static void
add(uint32_t weight, uint64_t base)
{
	share_init(&workers[count].share, weight, base);
	workers[count].outstanding = 0;
	workers[count++].got = 0;
}

static size_t
pick(void)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		if (share_is_before(&workers[i].share, workers[i].outstanding,
			&workers[best].share, workers[best].outstanding))
			best = i;
	return best;
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
	}
}

START_TEST(of_equal_weights_the_one_with_least_outstanding_is_next)
{
	/* Whatever was given to each before. */
	const struct share little = {100, 10}, much = {100, 1000000};

	ck_assert(share_is_before(&much, 3, &little, 4));
	ck_assert(!share_is_before(&little, 4, &much, 3));
	ck_assert(share_is_before(&little, 0, &much, 1));
}
END_TEST

START_TEST(among_equals_nobody_is_before_the_other)
{
	const struct share a = {100, 10}, b = {100, 20}, c = {50, 10};

	ck_assert(!share_is_before(&a, 2, &b, 2));
	ck_assert(!share_is_before(&b, 2, &a, 2));
	ck_assert(!share_is_before(&a, 0, &c, 9));
	ck_assert(!share_is_before(&c, 9, &a, 0));
}
END_TEST

START_TEST(of_other_weights_what_was_given_decides)
{
	const struct share a = {95, 10}, b = {5, 11};

	ck_assert(share_is_before(&a, 60, &b, 0));
	ck_assert(!share_is_before(&b, 0, &a, 60));
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
	struct share share = {1, 1};

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
	tcase_add_test(tc, among_equals_nobody_is_before_the_other);
	tcase_add_test(tc, of_other_weights_what_was_given_decides);
	tcase_add_test(
	    tc, equal_weights_share_equally_when_receipts_come_in_their_order);
	tcase_add_loop_test(
	    tc, other_weights_share_in_proportion, 0, (int)UNIT_COUNT(shares));
	tcase_add_test(tc, a_small_share_is_spread_out);
	tcase_add_test(tc, a_newcomer_begins_where_the_others_are);
	tcase_add_test(tc, a_new_share_has_its_weight_and_begins_at_the_base);
}
