/* SPDX-License-Identifier: ISC */
/*
 * The configuration as written: everything that is added is in the tree, in
 * order, and the tree owns it.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "conf/syntax/tree.h"

#include <stdio.h>
#include <string.h>

static void
add(struct section *section, enum key_id id, const char *text,
    unsigned int line)
{
	ck_assert_int_eq(section_add(section, id, text, AT_LINE(line)), 0);
}

/* The names of all listeners, each followed by a blank. */
static const char *
names(const struct tree *tree)
{
	static char text[64];
	size_t used = 0;

	text[0] = '\0';
	for (const struct section *s = tree->first; s != NULL; s = s->next)
		used += (size_t)snprintf(
		    text + used, sizeof(text) - used, "%s ", s->name);
	return text;
}

START_TEST(listeners_keep_their_order)
{
	struct tree tree;
	struct section *a, *b;

	tree_init(&tree);
	ck_assert_str_eq(names(&tree), "");
	a = tree_add(&tree, "a", AT_LINE(3));
	b = tree_add(&tree, "b", AT_LINE(9));
	ck_assert_ptr_nonnull(tree_add(&tree, "", AT_LINE(10)));
	ck_assert_ptr_nonnull(
	    tree_add(&tree, "a", AT_LINE(11))); /* of listener_names_check() */
	ck_assert_str_eq(names(&tree), "a b  a ");
	ck_assert_ptr_eq(tree.first, a);
	ck_assert_ptr_eq(a->next, b);
	ck_assert_uint_eq(a->at.line, 3);
	ck_assert_uint_eq(b->at.line, 9);
	tree_done(&tree);
}
END_TEST

START_TEST(a_new_listener_has_nothing)
{
	struct tree tree;
	struct section *section;

	tree_init(&tree);
	section = tree_add(&tree, "a", AT_LINE(3));
	ck_assert_ptr_nonnull(section);
	for (enum key_id id = 0; id < KEY_COUNT; id++)
		ck_assert_ptr_null(section_value(section, id));
	ck_assert_str_eq(section->mailbox, "");
	ck_assert_uint_eq(section->owner, RECORD_NO_ID);
	tree_done(&tree);
}
END_TEST

START_TEST(values_of_a_key_keep_their_order_and_lines)
{
	struct tree tree;
	struct section *section;
	const struct value *value;
	char text[8];

	tree_init(&tree);
	section = tree_add(&tree, "a", AT_LINE(3));
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%u", i); /* each of them copied */
		add(section, KEY_LISTEN, text, 3 + i);
	}
	add(section, KEY_OWNER, "", 200);
	value = section_value(section, KEY_LISTEN);
	for (unsigned int i = 0; i < 100; i++, value = value->next) {
		ck_assert_ptr_nonnull(value);
		snprintf(text, sizeof(text), "%u", i);
		ck_assert_str_eq(value->text, text);
		ck_assert_uint_eq(value->at.line, 3 + i);
	}
	ck_assert_ptr_null(value);
	value = section_value(section, KEY_OWNER);
	ck_assert_str_eq(value->text, "");
	ck_assert_ptr_null(value->next);
	ck_assert_ptr_null(section_value(section, KEY_MAILBOX));
	tree_done(&tree);
}
END_TEST

START_TEST(a_key_has_its_line_or_else_that_of_its_section)
{
	struct tree tree;
	struct section *section;

	tree_init(&tree);
	section = tree_add(&tree, "a", AT_LINE(3));
	add(section, KEY_LISTEN, "x", 5);
	add(section, KEY_LISTEN, "y", 6);
	add(section, KEY_OWNER, "x", 0);
	add(&tree.top, KEY_USER, "x", 1);
	ck_assert_uint_eq(section_at(section, KEY_LISTEN).line, 5);
	ck_assert_uint_eq(section_at(section, KEY_OWNER).line, 0);
	ck_assert_uint_eq(section_at(section, KEY_MAILBOX).line, 3);
	ck_assert_uint_eq(section_at(&tree.top, KEY_USER).line, 1);
	tree_done(&tree);
}
END_TEST

START_TEST(the_last_listener_can_be_dropped_and_others_follow)
{
	struct tree tree;

	tree_init(&tree);
	tree_drop_last(&tree); /* there is none */
	add(tree_add(&tree, "a", AT_LINE(1)), KEY_LISTEN, "x", 1);
	tree_drop_last(&tree);
	ck_assert_str_eq(names(&tree), "");
	add(tree_add(&tree, "b", AT_LINE(2)), KEY_LISTEN, "x", 2);
	ck_assert_ptr_nonnull(tree_add(&tree, "c", AT_LINE(3)));
	add(tree_add(&tree, "d", AT_LINE(4)), KEY_OWNER, "x", 4);
	tree_drop_last(&tree);
	ck_assert_str_eq(names(&tree), "b c ");
	ck_assert_ptr_nonnull(tree_add(&tree, "e", AT_LINE(5)));
	ck_assert_str_eq(names(&tree), "b c e ");
	tree_done(&tree);
}
END_TEST

START_TEST(a_tree_that_is_done_is_an_empty_one)
{
	struct tree tree;

	tree_init(&tree);
	add(&tree.top, KEY_USER, "x", 1);
	add(tree_add(&tree, "a", AT_LINE(2)), KEY_LISTEN, "x", 2);
	tree_done(&tree);
	ck_assert_str_eq(names(&tree), "");
	ck_assert_ptr_null(section_value(&tree.top, KEY_USER));
	ck_assert_ptr_nonnull(tree_add(&tree, "b", AT_LINE(3)));
	ck_assert_str_eq(names(&tree), "b ");
	tree_done(&tree);
	tree_done(&tree);
}
END_TEST

UNIT_SUITE(tree)
{
	TCase *tc = unit_case(suite, "tree");

	tcase_add_test(tc, listeners_keep_their_order);
	tcase_add_test(tc, a_new_listener_has_nothing);
	tcase_add_test(tc, values_of_a_key_keep_their_order_and_lines);
	tcase_add_test(tc, a_key_has_its_line_or_else_that_of_its_section);
	tcase_add_test(tc, the_last_listener_can_be_dropped_and_others_follow);
	tcase_add_test(tc, a_tree_that_is_done_is_an_empty_one);
}
