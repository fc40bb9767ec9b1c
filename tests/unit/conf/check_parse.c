/* SPDX-License-Identifier: ISC */
/*
 * From text to tree: what libconfuse makes of a configuration, and how its
 * complaints are said.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "conf/syntax/parse.h"
#include "conf/syntax/parse_error.h"

#include <stdio.h>
#include <string.h>

/* Parses text.  Returns what parse_text() does. */
static int
run(struct tree *tree, struct output *out, const char *text)
{
	struct scan scan;
	int result;

	tree_init(tree);
	output_init(out);
	ck_assert_int_eq(scan_text(&scan, text, strlen(text), out), 0);
	diagnostic_expect_only(out, 0, NULL, text);
	result = parse_text(tree, &scan, out);
	scan_done(&scan);
	return result;
}

/* Writes a tree as "LINE:KEY=VALUE ... LINE:NAME{ LINE:KEY=VALUE ... } ". */
static void
write_tree(const struct tree *tree, char *text, size_t size)
{
	FILE *file = fmemopen(text, size, "w");

	ck_assert_ptr_nonnull(file);
	for (const struct section *s = &tree->top; s != NULL;
	     s = s == &tree->top ? tree->first : s->next) {
		if (s != &tree->top)
			fprintf(file, "%u:%s{ ", s->line, s->name);
		for (enum key_id id = 0; id < KEY_COUNT; id++)
			for (const struct value *v = section_value(s, id);
			     v != NULL; v = v->next)
				fprintf(file, "%u:%s=%s ", v->line,
				    keys[id].name, v->text);
		if (s != &tree->top)
			fprintf(file, "} ");
	}
	fclose(file);
}

static const struct {
	const char *text;
	const char *tree;
} texts[] = {
    {"", ""},
    {"\n \n", ""},
    {"# user = x\n", ""},
    {"user = x", "1:user=x "},
    {"user\n=\nx", "3:user=x "},
    {"listener a { }", "1:a{ } "},
    {"listener a\n{\n}\n", "1:a{ } "},
    {"listener \"a b\" { }", "1:a b{ } "}, /* listener_names_check()'s */
    {"listener a { backlog = 1 }\nuser = x", "2:user=x 1:a{ 1:backlog=1 } "},
    {"listener a { }\nlistener b { }\nlistener a { }", "1:a{ } 2:b{ } 3:a{ } "},
    {"listener a {\nbacklog = 1\nowner = 'o'\n}\nlistener a {\nbacklog = "
     "2\n}",
	"1:a{ 3:owner=o 2:backlog=1 } 5:a{ 6:backlog=2 } "},
    {"listener a { listen = {} }", "1:a{ } "},
    {"listener a { listen = x }", "1:a{ 1:listen=x } "},
    {"listener a { listen = { x,\n\"y\",\n'z' } }",
	"1:a{ 1:listen=x 2:listen=y 3:listen=z } "},
    {"listener a { listen = x\nlisten += { y, z } }",
	"1:a{ 1:listen=x 2:listen=y 2:listen=z } "},
    {"user = \"a\\\"b\\x\\n\"", "1:user=a\"bx\n "},
    {"user = 'a\\nb'", "1:user=a\\nb "},
    {"listener a {\nrefuse-message = 'one\ntwo'\nbacklog = 1 }",
	"1:a{ 2:refuse-message=one\ntwo 4:backlog=1 } "},
    {"listener a {\nbacklog = not-a-number }",
	"1:a{ 2:backlog=not-a-number } "},
    {"listener a { backlog = \"\" }", "1:a{ 1:backlog= } "},
};

START_TEST(what_was_written_is_in_the_tree)
{
	char text[512] = "";
	struct output out;
	struct tree tree;

	ck_assert_int_eq(run(&tree, &out, texts[_i].text), 1);
	diagnostic_expect_only(&out, 0, NULL, texts[_i].text);
	write_tree(&tree, text, sizeof(text));
	ck_assert_str_eq(text, texts[_i].tree);
	tree_done(&tree);
}
END_TEST

static const struct {
	const char *text;
	const char *tree; /* the sections that are whole */
	unsigned int line;
	const char *told;
} mistakes[] = {
    {"\n}", "", 2, "\"}\" without a \"{\" before it: expected a key"},
    {"listener a { }\nuser x", "1:a{ } ", 2,
	"no \"=\" behind \"user\": expected KEY = VALUE"},
    {"user += x", "", 1, "\"+=\" behind \"user\", which is not a list"},
    {"listener a\nb", "", 2, "no \"{\" behind the name of a listener"},
    {"listener { }", "", 1, "a listener without a name: expected"},
    {"user = \"\\400\"", "", 1, "escape sequence "},
    {"user = }", "", 1, "\"}\" is out of place: expected a value before"},
    {"user = { x }", "", 1, "\"{\" is out of place: expected a single value"},
    {"= x", "", 1, "\"=\" is out of place: expected a key before it"},
    {"listener a {\nlisten = {x y} }", "", 2,
	"\"y\" is out of place: expected \",\" or \"}\" behind"},
    {"listener a { }\nlistener b { listen = {,} }", "1:a{ } ", 2,
	"\",\" is out of place: expected a value on either side"},
    {"user =\n\n", "", 1, "the file ends here in the middle of a statement"},
    {"colour = { x }", "", 1, "unknown key \"colour\""}, /* no more */
    /* It has all that was written but the brace. */
    {"listener a {\nbacklog = 1\n", "1:a{ 2:backlog=1 } ", 1,
	"the section that begins here is not closed: expected \"}\""},
    {"listener a { }\nlistener b {\nbacklog =", "1:a{ } ", 2,
	"the section that begins here is not closed: expected \"}\""},
};

START_TEST(a_mistake_ends_the_text_and_is_told_of)
{
	char text[512] = "";
	struct output out;
	struct tree tree;

	ck_assert_int_eq(run(&tree, &out, mistakes[_i].text), 0);
	diagnostic_expect_only(
	    &out, mistakes[_i].line, mistakes[_i].told, mistakes[_i].text);
	write_tree(&tree, text, sizeof(text));
	ck_assert_str_eq(text, mistakes[_i].tree);
	tree_done(&tree);
}
END_TEST

static const struct {
	const char *text;
	const char *tree;
	unsigned int line;
	const char *told;
} oddities[] = {
    {"user = x\nuser = y", "1:user=x ", 2,
	"user: given in line 1 already: expected it once"},
    {"listener a { listen = x\nlisten = y }", "1:a{ 1:listen=x } ", 2,
	"listen: given in line 1 already: expected it once"},
    {"user = x\ncolour = red\nlistener a { }", "1:user=x 3:a{ } ", 2,
	"unknown key \"colour\": expected one of user"},
    {"listener a {\ncolour = red\nbacklog = 1 }", "1:a{ 3:backlog=1 } ", 2,
	"unknown key \"colour\": expected one of listen, "},
    {"backlog = 1\nlistener a { }", "2:a{ } ", 1,
	"unknown key \"backlog\": expected one of user"},
    {"listener a { user = x }", "1:a{ } ", 1, "unknown key \"user\""},
};

START_TEST(what_is_unknown_or_double_does_not_hide_the_rest)
{
	char text[512] = "";
	struct output out;
	struct tree tree;

	ck_assert_int_eq(run(&tree, &out, oddities[_i].text), 1);
	diagnostic_expect_only(
	    &out, oddities[_i].line, oddities[_i].told, oddities[_i].text);
	write_tree(&tree, text, sizeof(text));
	ck_assert_str_eq(text, oddities[_i].tree);
	tree_done(&tree);
}
END_TEST

static void __attribute__((format(printf, 3, 4)))
report(const struct parse_error *error, struct output *out, const char *format,
    ...)
{
	va_list ap;

	output_init(out);
	va_start(ap, format);
	parse_error_report(error, out, format, ap);
	va_end(ap);
}

START_TEST(a_complaint_nobody_knows_is_passed_on)
{
	const struct parse_error error = {.line = 7};
	struct output out;

	report(&error, &out, "no %s in %d lines", "sense", 3);
	diagnostic_expect_only(
	    &out, 7, "no sense in 3 lines: expected KEY = VALUE", "unknown");
}
END_TEST

START_TEST(a_listener_in_a_listener_is_told_with_the_outer_one)
{
	struct parse_error error = {
	    .line = 7, .in_listener = 1, .section_line = 3};
	struct output out;

	report(&error, &out, "no such option '%s'", "listener");
	diagnostic_expect_only(
	    &out, 7, "a listener within the listener of line 3", "inner");
	report(&error, &out, "no such option '%s'", "user");
	diagnostic_expect_only(&out, 7,
	    "unknown key \"user\": expected one of listen, ", "listener");
	error.in_listener = 0;
	report(&error, &out, "no such option '%s'", "owner");
	diagnostic_expect_only(
	    &out, 7, "unknown key \"owner\": expected one of user", "top");
	ck_assert_ptr_nonnull(
	    strstr(out.diagnostics[0].u.diagnostic.text, ", listener"));
}
END_TEST

START_TEST(the_end_of_the_file_is_where_its_last_word_is)
{
	struct parse_error error = {.line = 7, .last_line = 5};
	struct output out;

	report(&error, &out, "premature end of file");
	diagnostic_expect_only(
	    &out, 5, "the file ends here in the middle", "end");
	error.open_line = 2;
	report(&error, &out, "premature end of file");
	diagnostic_expect_only(
	    &out, 2, "the section that begins here is not closed", "open");
}
END_TEST

START_TEST(an_unknown_key_is_known_by_its_complaint)
{
	ck_assert(parse_error_is_unknown("no such option '%s'"));
	ck_assert(
	    parse_error_is_unknown("no sub-section title/index for '%s'"));
	ck_assert(!parse_error_is_unknown("no such option"));
	ck_assert(!parse_error_is_unknown("premature end of file"));
}
END_TEST

UNIT_SUITE(parse)
{
	TCase *tc = unit_case(suite, "parse");

	tcase_add_loop_test(
	    tc, what_was_written_is_in_the_tree, 0, (int)UNIT_COUNT(texts));
	tcase_add_loop_test(tc, a_mistake_ends_the_text_and_is_told_of, 0,
	    (int)UNIT_COUNT(mistakes));
	tcase_add_loop_test(tc,
	    what_is_unknown_or_double_does_not_hide_the_rest, 0,
	    (int)UNIT_COUNT(oddities));
	tcase_add_test(tc, a_complaint_nobody_knows_is_passed_on);
	tcase_add_test(tc, a_listener_in_a_listener_is_told_with_the_outer_one);
	tcase_add_test(tc, the_end_of_the_file_is_where_its_last_word_is);
	tcase_add_test(tc, an_unknown_key_is_known_by_its_complaint);
}
