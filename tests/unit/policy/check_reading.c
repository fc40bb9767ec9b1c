/* SPDX-License-Identifier: ISC */
/*
 * When a mailbox that confirms nothing is late.
 */
#include "fixture/unit.h"

#include "engine/policy/reading.h"

#define LATE_US 50001

START_TEST(an_empty_mailbox_is_never_late)
{
	struct reading reading = {.count = 0};

	ck_assert(!reading_is_due(&reading, UINT64_MAX));
	reading_on_sent(&reading, 1000);
	reading_on_look(&reading, 0, 1000 + LATE_US);
	ck_assert(!reading_is_late(&reading));
	ck_assert_uint_eq(reading.since_us, 0);
	ck_assert_uint_eq(reading.count, 0);
}
END_TEST

START_TEST(a_mailbox_that_is_not_read_is_late_after_50_ms)
{
	struct reading reading = {.count = 0};

	reading_on_sent(&reading, 1000);
	reading_on_sent(&reading, 2000);
	ck_assert(!reading_is_due(&reading, 1000 + LATE_US - 1));
	ck_assert(reading_is_due(&reading, 1000 + LATE_US));
	ck_assert(!reading_is_late(&reading)); /* nobody has looked */
	reading_on_look(&reading, 800, 1000 + LATE_US - 1);
	ck_assert(!reading_is_late(&reading));
	reading_on_look(&reading, 800, 1000 + LATE_US);
	ck_assert(reading_is_late(&reading));
	ck_assert_uint_eq(reading.count, 2);
	ck_assert(!reading_is_due(&reading, 1000 + LATE_US + 1));
}
END_TEST

static const struct {
	int sent; /* since a look that saw 800 bytes */
	uint64_t queued;
	int moves;
} looks[] = {
    {0, 800, 0},
    {0, 400, 1},
    {1, 1200, 0},
    {1, 800, 1}, /* one came, one was read */
    {1, 400, 1},
    {0, 0, 1},
};

START_TEST(a_mailbox_that_gets_shorter_is_read)
{
	struct reading reading = {.count = 0};

	reading_on_sent(&reading, 1000);
	reading_on_look(&reading, 800, 2000);
	if (looks[_i].sent)
		reading_on_sent(&reading, 3000);
	reading_on_look(&reading, looks[_i].queued, 1000 + LATE_US);
	ck_assert_int_eq(reading_is_late(&reading), !looks[_i].moves);
}
END_TEST

/* The kernel says the same of an empty mailbox and of one without a process. */
START_TEST(what_a_process_that_died_had_is_lost)
{
	struct reading reading = {.count = 0};

	ck_assert_uint_eq(reading_lost(&reading, 1000), 0);
	reading_on_sent(&reading, 1000);
	reading_on_sent(&reading, 2000);
	ck_assert_uint_eq(reading_lost(&reading, UINT64_MAX), 2);
	reading_on_look(&reading, 0, 3000);
	ck_assert_uint_eq(reading_lost(&reading, 3000), 2);
	ck_assert_uint_eq(reading_lost(&reading, 3000 + LATE_US), 0);
	reading_on_sent(&reading, 4000);
	ck_assert_uint_eq(reading_lost(&reading, 4000), 1);
	reading_on_look(&reading, 0, 5000);
	reading_on_look(&reading, 0, 5000);
	ck_assert_uint_eq(reading_lost(&reading, 5000), 0);
}
END_TEST

UNIT_SUITE(reading)
{
	TCase *tc = unit_case(suite, "reading");

	tcase_add_test(tc, an_empty_mailbox_is_never_late);
	tcase_add_test(tc, a_mailbox_that_is_not_read_is_late_after_50_ms);
	tcase_add_test(tc, what_a_process_that_died_had_is_lost);
	tcase_add_loop_test(
	    tc, a_mailbox_that_gets_shorter_is_read, 0, (int)UNIT_COUNT(looks));
}
