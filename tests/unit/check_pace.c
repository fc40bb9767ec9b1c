/* SPDX-License-Identifier: ISC */
/*
 * Pace: the pause comes when three connections come in a round and 5,000 in a
 * second, and goes below two or below that rate.
 */
#include "unit.h"

#include "engine/pace.h"

#define BEGIN_US 987654321 /* of some clock */
#define MANY 4000000000000 /* connections, before the test */
#define INTERVAL_US 5000

/* At least INTERVAL_US later, some connections more, in so many rounds. */
struct interval {
	unsigned int passed_us;
	unsigned int accepted;
	unsigned int rounds;
	int pauses; /* after it */
};

static const struct interval intervals[] = {
    {INTERVAL_US, 0, 0, 0},
    /* fast, but one at a time; two at a time */
    {INTERVAL_US, 100, 100, 0},
    {INTERVAL_US, 100, 50, 0},
    {INTERVAL_US, 299, 100, 0},
    /* many at a time, but slow */
    {INTERVAL_US, 24, 1, 0},
    {1000000, 4999, 10, 0},
    /* on, exactly at both */
    {INTERVAL_US, 25, 8, 1},
    {INTERVAL_US, 300, 100, 1},
    /* it stays on until below either */
    {INTERVAL_US, 200, 100, 1},
    {INTERVAL_US, 199, 100, 0},
    {INTERVAL_US, 200, 100, 0},
    {INTERVAL_US, 300, 100, 1},
    {INTERVAL_US, 24, 1, 0},
    {INTERVAL_US, 300, 100, 1},
    {INTERVAL_US, 0, 0, 0},
    /* a burst after a long rest is a low rate */
    {60000000, 1000, 1, 0},
};

START_TEST(it_goes_on_and_off_by_rate_and_by_how_many_come_at_once)
{
	struct pace_count count = {MANY, MANY};
	struct pace pace = {.since_us = BEGIN_US, .before = count};
	uint64_t now_us = BEGIN_US;

	for (size_t i = 0; i < UNIT_COUNT(intervals); i++) {
		unsigned int pause_us;

		now_us += intervals[i].passed_us;
		count.accepted += intervals[i].accepted;
		count.rounds += intervals[i].rounds;
		pause_us = pace_next_us(&pace, now_us, &count);
		ck_assert_msg(pause_us == (intervals[i].pauses ? 100 : 0),
		    "interval %zu: %u", i, pause_us);
	}
}
END_TEST

START_TEST(within_an_interval_nothing_changes)
{
	struct pace_count few = {MANY + 1, MANY + 1}, many = {MANY + 99, MANY};
	struct pace off = {.since_us = BEGIN_US, .before = {MANY, MANY}};
	struct pace on = off;
	uint64_t end_us = BEGIN_US + INTERVAL_US;

	on.on = 1;
	for (uint64_t now_us = BEGIN_US; now_us < end_us; now_us += 1249) {
		ck_assert_uint_eq(pace_next_us(&off, now_us, &many), 0);
		ck_assert_uint_eq(pace_next_us(&on, now_us, &few), 100);
	}
	/* Those that came meanwhile count at its end. */
	ck_assert_uint_eq(pace_next_us(&off, end_us, &many), 100);
	ck_assert_uint_eq(pace_next_us(&on, end_us, &few), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tc = unit_case(suite, "pace");

	tcase_add_test(
	    tc, it_goes_on_and_off_by_rate_and_by_how_many_come_at_once);
	tcase_add_test(tc, within_an_interval_nothing_changes);
	return unit_run(suite);
}
