/* SPDX-License-Identifier: ISC */
/*
 * Coalescing: the pause starts when thirty-two connections are there in a
 * round and 2,000 come in a second, and ends below sixteen or below that rate.
 * The short and the long pause are compared again and again.
 */
#include "fixture/unit.h"

#include "engine/policy/coalesce.h"

#define BEGIN_US 987654321 /* a time */
#define MANY 4000000000000 /* connections before the test */
#define INTERVAL_US 5000
#define LONGER_US 20000 /* when the pause is on */

/* At least INTERVAL_US later, with so many more connections in so many
 * rounds, and so many present in all of these together. */
struct interval {
	unsigned int passed_us;
	unsigned int accepted;
	unsigned int rounds;
	unsigned int present;
	unsigned int pause_us; /* after it */
};

static const struct interval intervals[] = {
    {INTERVAL_US, 0, 0, 0, 0},
    /* fast, but one at a time; thirty-one at a time */
    {INTERVAL_US, 100, 100, 100, 0},
    {INTERVAL_US, 300, 100, 3100, 0},
    {INTERVAL_US, 300, 100, 3199, 0},
    /* many at a time, but slow */
    {INTERVAL_US, 9, 1, 99, 0},
    {1000000, 1999, 10, 1000, 0},
    /* on, exactly at both limits */
    {INTERVAL_US, 10, 3, 96, 100},
    /* the long pause is tried; it may cost a quarter more */
    {LONGER_US, 300, 100, 6000, 250},
    {LONGER_US, 225, 100, 6000, 250},
    /* it stays on until one is below its limit */
    {LONGER_US, 200, 100, 1600, 250},
    {LONGER_US, 200, 100, 1599, 0},
    {INTERVAL_US, 200, 100, 1600, 0},
    {INTERVAL_US, 300, 100, 3200, 100},
    /* it costs more */
    {LONGER_US, 300, 100, 3200, 250},
    {LONGER_US, 224, 100, 3200, 100},
    {LONGER_US, 40, 1, 40, 100},
    {LONGER_US, 39, 1, 39, 0},
    {INTERVAL_US, 300, 100, 3200, 100},
    {LONGER_US, 0, 0, 0, 0},
    /* a burst after a long rest is a low rate */
    {60000000, 1000, 1, 1000, 0},
};

static unsigned int
pass(struct coalesce *coalesce, uint64_t *now_us, struct coalesce_count *count,
    const struct interval *interval)
{
	*now_us += interval->passed_us;
	count->accepted += interval->accepted;
	count->rounds += interval->rounds;
	count->present += interval->present;
	return coalesce_next_us(coalesce, *now_us, count);
}

START_TEST(it_goes_on_and_off_by_rate_and_by_how_many_come_at_once)
{
	struct coalesce_count count = {MANY, MANY, MANY};
	struct coalesce coalesce = {.since_us = BEGIN_US, .before = count};
	uint64_t now_us = BEGIN_US;

	for (size_t i = 0; i < UNIT_COUNT(intervals); i++) {
		unsigned int pause_us =
		    pass(&coalesce, &now_us, &count, &intervals[i]);

		ck_assert_msg(pause_us == intervals[i].pause_us,
		    "interval %zu: %u", i, pause_us);
	}
}
END_TEST

/* Ten intervals of each, then one with the short pause and one with the long
 * one. */
START_TEST(what_was_chosen_is_kept_for_a_while)
{
	static const struct interval begin = {INTERVAL_US, 300, 30, 960, 0};
	struct coalesce_count count = {0, 0, 0};
	struct coalesce coalesce = {.since_us = BEGIN_US};
	uint64_t now_us = BEGIN_US;

	ck_assert_uint_eq(pass(&coalesce, &now_us, &count, &begin), 100);
	for (int i = 0; i < 48; i++) {
		/* Long pauses cost nothing at first and a lot later on. */
		unsigned int chosen = i < 24 ? 250 : 100;
		struct interval next = {LONGER_US,
		    i >= 24 && i % 12 == 1 ? 300 : 900, 30, 900,
		    i % 12 == 0      ? 250 :
			i % 12 == 11 ? 100 :
				       chosen};

		ck_assert_msg(
		    pass(&coalesce, &now_us, &count, &next) == next.pause_us,
		    "interval %d: %u", i, coalesce.pause_us);
	}
}
END_TEST

START_TEST(what_came_or_lacks_a_receipt_is_present)
{
	struct coalesce_count count = {MANY, 0, 0};

	coalesce_on_event(&count, MANY, 7);
	ck_assert_uint_eq(count.rounds, 0);
	ck_assert_uint_eq(count.present, 0);
	coalesce_on_event(&count, MANY - 3, 7);
	ck_assert_uint_eq(count.present, 7);
	coalesce_on_event(&count, MANY - 3, 2);
	ck_assert_uint_eq(count.present, 10);
	ck_assert_uint_eq(count.rounds, 2);
}
END_TEST

START_TEST(within_an_interval_nothing_changes)
{
	struct coalesce_count few = {MANY + 1, MANY + 1, MANY + 1},
			      many = {MANY + 99, MANY + 1, MANY + 99};
	struct coalesce off = {
	    .since_us = BEGIN_US, .before = {MANY, MANY, MANY}};
	struct coalesce on = off;
	uint64_t end_us = BEGIN_US + INTERVAL_US;
	uint64_t later_us = BEGIN_US + LONGER_US;

	on.pause_us = 250;
	for (uint64_t now_us = BEGIN_US; now_us < end_us; now_us += 1249)
		ck_assert_uint_eq(coalesce_next_us(&off, now_us, &many), 0);
	for (uint64_t now_us = BEGIN_US; now_us < later_us; now_us += 1249)
		ck_assert_uint_eq(coalesce_next_us(&on, now_us, &few), 250);
	/* Connections that came meanwhile count when it ends. */
	ck_assert_uint_eq(coalesce_next_us(&off, end_us, &many), 100);
	ck_assert_uint_eq(coalesce_next_us(&on, later_us, &few), 0);
}
END_TEST

/* The number of connections, of four, that the next round may accept; it gets
 * so many.  It assumes that none has waited only if it accepts one. */
static unsigned int
next_round(struct coalesce_lone *lone, int pausing, unsigned int accepted)
{
	unsigned int most = coalesce_next_round(lone, 4, pausing);

	ck_assert_int_eq(lone->none_waits, most == 1);
	coalesce_on_round(lone, most, accepted < most ? accepted : most);
	return most;
}

START_TEST(who_comes_alone_is_seldom_asked_for_another)
{
	struct coalesce_lone lone = {0};

	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(next_round(&lone, 0, 1), 4);
		for (int round = 0; round < 7; round++)
			ck_assert_uint_eq(next_round(&lone, 0, 4), 1);
	}
	ck_assert_uint_eq(next_round(&lone, 0, 2), 4);
	ck_assert_uint_eq(next_round(&lone, 0, 0), 4);
	ck_assert_uint_eq(next_round(&lone, 0, 4), 4);
	/* Connections gather during the pause. */
	ck_assert_uint_eq(next_round(&lone, 0, 1), 4);
	ck_assert_uint_eq(next_round(&lone, 1, 4), 4);
	ck_assert_uint_eq(next_round(&lone, 0, 4), 4);
}
END_TEST

UNIT_SUITE(coalesce)
{
	TCase *tc = unit_case(suite, "coalesce");

	tcase_add_test(
	    tc, it_goes_on_and_off_by_rate_and_by_how_many_come_at_once);
	tcase_add_test(tc, what_was_chosen_is_kept_for_a_while);
	tcase_add_test(tc, what_came_or_lacks_a_receipt_is_present);
	tcase_add_test(tc, within_an_interval_nothing_changes);
	tcase_add_test(tc, who_comes_alone_is_seldom_asked_for_another);
}
