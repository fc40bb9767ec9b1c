/* SPDX-License-Identifier: ISC */
/*
 * Pace: the pause comes at 20,000 connections in a second and goes below
 * 10,000, so that a rate in between does not switch it to and fro.
 */
#include "unit.h"

#include "engine/pace.h"

#define BEGIN_US 987654321 /* of some clock */
#define MANY 4000000000000 /* connections, before the test */
#define INTERVAL_US 5000

/* At least INTERVAL_US later, some connections more. */
struct round {
	unsigned int passed_us;
	unsigned int arrived;
	int pauses; /* after it */
};

static const struct round rounds[] = {
    /* off: below the upper rate it stays so */
    {INTERVAL_US, 0, 0},
    {INTERVAL_US, 50, 0},
    {INTERVAL_US, 99, 0},
    {10000, 199, 0},
    /* on, exactly at it */
    {INTERVAL_US, 100, 1},
    /* on: it stays so until below the lower rate */
    {INTERVAL_US, 99, 1},
    {INTERVAL_US, 1000, 1},
    {INTERVAL_US, 50, 1},
    {10000, 100, 1},
    {INTERVAL_US, 49, 0},
    /* and it is off until the upper rate again */
    {INTERVAL_US, 50, 0},
    {INTERVAL_US, 99, 0},
    {INTERVAL_US, 100, 1},
    {10000, 99, 0},
    /* a rate is by time, not by number */
    {1000000, 19999, 0},
    {1000000, 20000, 1},
    {1000000, 10000, 1},
    {1000000, 9999, 0},
    /* a burst after a long rest is a low rate */
    {INTERVAL_US, 100, 1},
    {60000000, 100, 0},
};

START_TEST(it_is_off_at_first)
{
	struct pace pace = {0};

	ck_assert_uint_eq(pace_next_us(&pace, BEGIN_US, 1), 0);
	ck_assert_uint_eq(pace_next_us(&pace, BEGIN_US, 1000), 0);
}
END_TEST

START_TEST(it_goes_on_and_off_by_rate_with_hysteresis)
{
	uint64_t now_us = BEGIN_US, accepted = MANY;
	struct pace pace = {.since_us = now_us, .accepted = accepted};

	for (size_t i = 0; i < UNIT_COUNT(rounds); i++) {
		unsigned int expected = rounds[i].pauses ? PACE_PAUSE_US : 0;
		unsigned int pause_us;

		now_us += rounds[i].passed_us;
		accepted += rounds[i].arrived;
		pause_us = pace_next_us(&pace, now_us, accepted);
		ck_assert_msg(
		    pause_us == expected, "round %zu: %u", i, pause_us);
	}
}
END_TEST

START_TEST(the_pause_is_a_hundred_microseconds)
{
	struct pace pace = {.since_us = BEGIN_US};

	ck_assert_uint_eq(
	    pace_next_us(&pace, BEGIN_US + INTERVAL_US, 100000), 100);
}
END_TEST

START_TEST(within_an_interval_nothing_changes)
{
	struct pace off = {.since_us = BEGIN_US, .accepted = MANY};
	struct pace on = off;
	uint64_t end_us = BEGIN_US + INTERVAL_US;

	on.on = 1;
	for (uint64_t now_us = BEGIN_US; now_us < end_us; now_us += 1249) {
		ck_assert_uint_eq(pace_next_us(&off, now_us, MANY + 99), 0);
		ck_assert_uint_eq(pace_next_us(&on, now_us, MANY), 100);
	}
	ck_assert_uint_eq(pace_next_us(&off, end_us - 1, MANY + 99), 0);
	ck_assert_uint_eq(pace_next_us(&on, end_us - 1, MANY), 100);
	/* Those that came meanwhile count at its end. */
	ck_assert_uint_eq(pace_next_us(&off, end_us, MANY + 100), 100);
	ck_assert_uint_eq(pace_next_us(&on, end_us, MANY + 49), 0);
}
END_TEST

START_TEST(the_pauses_themselves_do_not_end_it)
{
	/* 30,000 in a second, counted every 133 us. */
	struct pace pace = {.since_us = BEGIN_US, .on = 1};
	uint64_t now_us = BEGIN_US;

	for (uint64_t accepted = 4; accepted < 4000; accepted += 4) {
		now_us += 133;
		ck_assert_uint_eq(pace_next_us(&pace, now_us, accepted), 100);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tc = unit_case(suite, "pace");

	tcase_add_test(tc, it_is_off_at_first);
	tcase_add_test(tc, it_goes_on_and_off_by_rate_with_hysteresis);
	tcase_add_test(tc, the_pause_is_a_hundred_microseconds);
	tcase_add_test(tc, within_an_interval_nothing_changes);
	tcase_add_test(tc, the_pauses_themselves_do_not_end_it);
	return unit_run(suite);
}
