/* SPDX-License-Identifier: ISC */
/*
 * Since when listeners are in their states: an entry for each name.
 */
#include "engine/handoff/noted_state.h"

#include "fixture/unit.h"

#include <stdio.h>

START_TEST(each_name_has_an_entry)
{
	struct noted_state items[64] = {{0}};
	const struct noted_states states = {items, 64};
	struct noted_state *found[8];
	char name[16];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "listener-%d", i);
		found[i] = noted_state_find(&states, name);
		ck_assert_uint_eq(found[i]->since_ms, 0);
		for (int j = 0; j < i; j++)
			ck_assert_ptr_ne(found[i], found[j]);
		found[i]->since_ms = (uint64_t)i + 1;
	}
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "listener-%d", i);
		ck_assert_ptr_eq(noted_state_find(&states, name), found[i]);
		ck_assert_uint_eq(found[i]->since_ms, (uint64_t)i + 1);
	}
}
END_TEST

START_TEST(a_full_table_gives_an_entry_that_says_nothing)
{
	struct noted_state items[2] = {{7, 1, 1000}, {9, 1, 1000}};
	const struct noted_states states = {items, 2}, none = {items, 0};
	const struct noted_state *found = noted_state_find(&states, "www");

	ck_assert_uint_eq(found->since_ms, 0);
	ck_assert_ptr_eq(noted_state_find(&states, "www"), found);
	ck_assert_ptr_null(noted_state_find(&none, "www"));
}
END_TEST

UNIT_SUITE(noted_state)
{
	TCase *tc = unit_case(suite, "noted_state");

	tcase_add_test(tc, each_name_has_an_entry);
	tcase_add_test(tc, a_full_table_gives_an_entry_that_says_nothing);
}
