/* SPDX-License-Identifier: ISC */
/*
 * What is noted of mailboxes that are to be drained, and sums of counters
 * whose slots are not at the same place in all banks.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/handoff/stats.h"

#include <sys/mman.h>

#include <unistd.h>

static struct stats stats;
static int memory = -1;

static void
start(void)
{
	memory = memfd_create("counters", MFD_CLOEXEC);
	ck_assert_int_ne(memory, -1);
	ck_assert_int_eq(ftruncate(memory, 1 << 20), 0);
	ck_assert_int_eq(stats_open(&stats, memory), 0);
}

static void
end(void)
{
	stats_close(&stats);
	memory = fd_close(memory);
}

START_TEST(a_mailbox_is_drained_whatever_is_learnt_of_it)
{
	start();
	ck_assert(!stats_is_draining(&stats, 1, 2));
	stats_set_draining(&stats, 1, 2);
	ck_assert(stats_is_draining(&stats, 1, 2));
	ck_assert(!stats_is_draining(&stats, 2, 2));
	ck_assert(!stats_is_draining(&stats, 1, 1));
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_UNKNOWN);
	stats_note_kind(&stats, 1, 2, STATS_PLAIN);
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_PLAIN);
	ck_assert(stats_is_draining(&stats, 1, 2));
	stats_set_draining(&stats, 1, 2);
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_PLAIN);
	stats_close(&stats);
	ck_assert_int_eq(stats_open(&stats, memory), 0);
	ck_assert(stats_is_draining(&stats, 1, 2));
	end();
}
END_TEST

/* Its inode's number may be another one's. */
START_TEST(a_mailbox_that_is_forgotten_is_not_drained)
{
	start();
	stats_note_kind(&stats, 1, 2, STATS_RECEIPTED);
	stats_set_draining(&stats, 1, 2);
	stats_note_kind(&stats, 1, 2, STATS_UNKNOWN);
	ck_assert(!stats_is_draining(&stats, 1, 2));
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_UNKNOWN);
	end();
}
END_TEST

START_TEST(a_sum_finds_slots_wherever_they_are)
{
	static const char *const names[] = {"a", "b", "c"};
	struct stats_listener sum, *other;

	start();
	other = stats.banks + stats.count; /* the second bank */
	for (unsigned int i = 0; i < 3; i++) {
		stats_find(&stats, names[i])->accepted = 1U << i;
		other[i].name[0] = names[2 - i][0];
		other[i].accepted = 8U << (2 - i);
	}
	other[3].name[0] = 'd'; /* in that one alone */
	other[3].accepted = 64;
	for (unsigned int i = 0; i < 3; i++) {
		stats_sum(&stats, names[i], &sum);
		ck_assert_uint_eq(sum.accepted, 9U << i);
	}
	stats_sum(&stats, "d", &sum);
	ck_assert_uint_eq(sum.accepted, 64);
	stats_sum(&stats, "nobody", &sum);
	ck_assert_uint_eq(sum.accepted, 0);
	end();
}
END_TEST

UNIT_SUITE(stats_mailbox)
{
	TCase *tc = unit_case(suite, "stats mailbox");

	tcase_add_test(tc, a_mailbox_is_drained_whatever_is_learnt_of_it);
	tcase_add_test(tc, a_mailbox_that_is_forgotten_is_not_drained);
	tcase_add_test(tc, a_sum_finds_slots_wherever_they_are);
}
