/* SPDX-License-Identifier: ISC */
/*
 * What engines leave to each other: totals and statements of administrators.
 */
#include "fixture/engine_chain.h"
#include "fixture/unit.h"

#include "config.h"

#include <stdio.h>
#include <unistd.h>

START_TEST(totals_go_from_engine_to_engine)
{
	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	for (int i = 1; i < ENGINE_CHAIN; i++) {
		engine_chain_row(i - 1, "web")->counters.accepted = 5;
		engine_chain_row(i - 1, "web")->counters.taken = 5;
		engine_chain_row(i - 1, "dns")->counters.send_failed = 1;
		engine_chain_follow(i, i - 1, 0);
	}
	ck_assert_uint_eq(
	    engine_chain_sum(ENGINE_CHAIN - 1, "web").accepted, 15);
	ck_assert_uint_eq(engine_chain_sum(ENGINE_CHAIN - 1, "web").taken, 15);
	ck_assert_uint_eq(
	    engine_chain_sum(ENGINE_CHAIN - 1, "dns").send_failed, 3);
	ck_assert_uint_eq(
	    engine_chain_sum(ENGINE_CHAIN - 1, "mail").accepted, 0);
	ck_assert_uint_eq(
	    engine_chain_row(ENGINE_CHAIN - 1, "web")->counters.accepted, 0);
	engine_chain_expect_log(NULL);
	engine_chain_done();
}
END_TEST

START_TEST(an_engine_that_drains_is_read_again_and_then_summed_up)
{
	struct stats_listener *old;
	int ended;

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	old = &engine_chain_row(0, "web")->counters;
	old->accepted = 10;
	old->unreceipted = 2;
	engine_chain_follow(1, 0, 1);
	engine_chain_row(1, "web")->counters.accepted = 100;
	ck_assert_uint_eq(engine_chain_sum(1, "web").accepted, 110);
	ck_assert_uint_eq(engine_chain_sum(1, "web").unreceipted, 2);
	old->accepted = 12;
	ck_assert_uint_eq(engine_chain_sum(1, "web").accepted, 112);
	/* It ends. */
	ended = engine_chain[0].fd;
	engine_chain_give(1, engine_chain[1].legacy.sums, 0);
	engine_chain_give(1, ended, 0);
	legacy_set_next(&engine_chain[1].legacy, engine_chain_memory());
	ck_assert_int_eq(stats_sum_up(&engine_chain[1]), 0);
	ck_assert_uint_eq(engine_chain[1].legacy.count, 0);
	old->accepted = 1000;
	ck_assert_uint_eq(engine_chain_sum(1, "web").accepted, 112);
	ck_assert_uint_eq(engine_chain_sum(1, "web").unreceipted, 0);
	ck_assert_uint_eq(engine_chain_sum(1, "web").orphaned, 2);
	ck_assert_uint_eq(engine_chain_sum(1, "web").lost, 10);
	engine_chain_expect_log(NULL);
	engine_chain_done();
}
END_TEST

/* The monitor has given up those sums, and tells a new engine the same. */
START_TEST(sums_that_nobody_took_count_nothing_twice)
{
	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	engine_chain_row(0, "web")->counters.accepted = 10;
	engine_chain_follow(1, 0, 1);
	engine_chain_row(1, "web")->counters.accepted = 1;
	engine_chain_begin(2);
	engine_chain_give(2, engine_chain[1].legacy.sums, 0);
	engine_chain_give(1, engine_chain[0].fd, 0);
	engine_chain_give(1, engine_chain[1].legacy.sums, 0);
	legacy_set_next(&engine_chain[1].legacy, engine_chain_memory());
	ck_assert_int_eq(stats_sum_up(&engine_chain[1]), 0);
	engine_chain_give(2, engine_chain[0].fd, 0);
	engine_chain_give(2, engine_chain[1].fd, 1);
	engine_chain_load(2, ENGINE_CHAIN_NAMES);
	ck_assert_uint_eq(engine_chain_sum(1, "web").accepted, 11);
	ck_assert_uint_eq(engine_chain_sum(2, "web").accepted, 11);
	engine_chain_done();
}
END_TEST

/* It may be killed between two steps. */
START_TEST(what_a_dead_engine_left_unfinished_is_counted_once)
{
	struct stats_listener *web, all;

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	web = &engine_chain_row(0, "web")->counters;
	web->accepted = 10;
	web->taken = (uint64_t)_i;
	web->unreceipted = 1;
	web->held = 3;
	engine_chain_follow(1, 0, 0);
	all = engine_chain_sum(1, "web");
	ck_assert_uint_eq(all.held + all.unreceipted, 0);
	ck_assert_uint_eq(all.orphaned, _i < 10);
	ck_assert_uint_eq(all.lost, _i < 10 ? 9 - web->taken : 0);
	engine_chain_done();
}
END_TEST

START_TEST(names_that_are_not_in_the_table_are_dropped)
{
	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	engine_chain_row(0, "mail")->counters.accepted = 5;
	engine_chain_row(0, "web")->counters.accepted = 6;
	engine_chain_begin(1);
	engine_chain_give(1, engine_chain[0].fd, 0);
	engine_chain_load(1, 1); /* mail */
	ck_assert_uint_eq(engine_chain_sum(1, "mail").accepted, 5);
	engine_chain_follow(2, 1, 0);
	ck_assert_uint_eq(engine_chain_sum(2, "mail").accepted, 5);
	ck_assert_uint_eq(engine_chain_sum(2, "web").accepted, 0);
	engine_chain_done();
}
END_TEST

START_TEST(no_more_files_than_a_number_of_them)
{
	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	engine_chain_begin(1);
	for (int i = 0; i < LEGACY_FILES + 3; i++)
		engine_chain_give(1, engine_chain[0].fd, 1);
	ck_assert_uint_eq(engine_chain[1].legacy.count, LEGACY_FILES);
	engine_chain_load(1, ENGINE_CHAIN_NAMES);
	engine_chain_done();
}
END_TEST

START_TEST(what_was_said_and_learnt_is_that_of_the_last_engine)
{
	struct persistent *first, *last;
	int copy;

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	first = &engine_chain[0].page->persistent;
	persistent_set_paused(first, &engine_chain_row(0, "mail")->state, 1);
	ck_assert_int_eq(persistent_set_drained(first, 1, 2, 1), 0);
	persistent_note(first, 3, 4, PERSISTENT_PLAIN);
	engine_chain_follow(1, 0, 0);
	last = &engine_chain[1].page->persistent;
	ck_assert_uint_eq(engine_chain_row(1, "mail")->state.paused, 1);
	ck_assert_uint_eq(engine_chain_row(1, "web")->state.paused, 0);
	ck_assert_uint_eq(persistent_find(last, 1, 2), PERSISTENT_DRAINING);
	ck_assert_uint_eq(persistent_find(last, 3, 4), PERSISTENT_PLAIN);
	ck_assert_uint_eq(engine_chain[1].page->head.started_ms,
	    engine_chain[0].page->head.started_ms);
	/* If that one is spoilt, it is what the one before had left to it. */
	persistent_set_paused(last, &engine_chain_row(1, "mail")->state, 0);
	engine_chain_begin(2);
	copy = engine_chain_spoil(1, 0, 4, 0);
	engine_chain_give(2, copy, 0);
	close(copy);
	engine_chain_give(2, engine_chain[1].legacy.sums, 0);
	engine_chain_load(2, ENGINE_CHAIN_NAMES);
	last = &engine_chain[2].page->persistent;
	ck_assert_uint_eq(engine_chain_row(2, "mail")->state.paused, 1);
	ck_assert_uint_eq(persistent_find(last, 1, 2), PERSISTENT_DRAINING);
	engine_chain_done();
}
END_TEST

START_TEST(what_the_engine_before_is_told_meanwhile_is_followed)
{
	struct persistent *before;

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	before = &engine_chain[0].page->persistent;
	persistent_set_paused(before, &engine_chain_row(0, "mail")->state, 1);
	engine_chain_follow(1, 0, 1);
	ck_assert_int_eq(stats_follow(&engine_chain[1]), 0);
	persistent_set_paused(before, &engine_chain_row(0, "web")->state, 1);
	ck_assert_int_eq(persistent_set_drained(before, 1, 2, 1), 0);
	ck_assert_int_eq(stats_follow(&engine_chain[1]), 1);
	ck_assert_int_eq(stats_follow(&engine_chain[1]), 0);
	ck_assert_uint_eq(engine_chain_row(1, "web")->state.paused, 1);
	ck_assert_uint_eq(
	    persistent_find(&engine_chain[1].page->persistent, 1, 2),
	    PERSISTENT_DRAINING);
	/* It does not undo what this one was told itself. */
	persistent_set_paused(&engine_chain[1].page->persistent,
	    &engine_chain_row(1, "mail")->state, 0);
	persistent_set_paused(before, &engine_chain_row(0, "web")->state, 0);
	before->is_final = 1;
	ck_assert_int_eq(stats_follow(&engine_chain[1]), 1);
	ck_assert_int_eq(stats_follow(&engine_chain[1]), -1);
	ck_assert_uint_eq(engine_chain_row(1, "web")->state.paused, 0);
	ck_assert_uint_eq(engine_chain_row(1, "mail")->state.paused, 0);
	engine_chain_done();
}
END_TEST

START_TEST(the_version_before_is_known)
{
	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	ck_assert_ptr_null(stats_new_version(&engine_chain[0]));
	snprintf(engine_chain[0].page->head.package, 4, "0.9");
	engine_chain_follow(1, 0, 0);
	ck_assert_str_eq(stats_new_version(&engine_chain[1]), PACKAGE_VERSION);
	ck_assert_str_eq(engine_chain[1].legacy.package, "0.9");
	engine_chain_follow(2, 1, 0);
	ck_assert_ptr_null(stats_new_version(&engine_chain[2]));
	engine_chain_done();
}
END_TEST

UNIT_SUITE(legacy)
{
	TCase *tc = unit_case(suite, "legacy");

	tcase_add_test(tc, totals_go_from_engine_to_engine);
	tcase_add_test(
	    tc, an_engine_that_drains_is_read_again_and_then_summed_up);
	tcase_add_test(tc, sums_that_nobody_took_count_nothing_twice);
	tcase_add_loop_test(
	    tc, what_a_dead_engine_left_unfinished_is_counted_once, 8, 12);
	tcase_add_test(tc, names_that_are_not_in_the_table_are_dropped);
	tcase_add_test(tc, no_more_files_than_a_number_of_them);
	tcase_add_test(tc, what_was_said_and_learnt_is_that_of_the_last_engine);
	tcase_add_test(
	    tc, what_the_engine_before_is_told_meanwhile_is_followed);
	tcase_add_test(tc, the_version_before_is_known);
}
