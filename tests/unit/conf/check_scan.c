/* SPDX-License-Identifier: ISC */
/*
 * The walk before libconfuse: comments go, lines stay, and what libconfuse
 * would misread is an error.
 */
#include "fixture/unit.h"

#include "conf/syntax/scan.h"

#include <string.h>

static struct output out;
static struct scan scan;

static void
run(const char *text)
{
	output_init(&out);
	ck_assert_int_eq(scan_text(&scan, text, strlen(text), &out), 0);
}

static const char *
first_error(void)
{
	return out.shown > 0 ? out.diagnostics[0].u.diagnostic.text : "";
}

static const struct {
	const char *before;
	const char *after;
} blanks[] = {
    {"a # b\nc", "a    \nc"},
    {"a // b\nc", "a     \nc"},
    {"a /* \n * */ c", "a    \n      c"},
    {"a/b//c", "a/b//c"}, /* a comment begins a token only */
    {"a /b//c", "a /b//c"},
    {"a#b", "a  "},
    {"'#' \"//\" '/*'", "'#' \"//\" '/*'"},
    {"\"\\\"#\" # x", "\"\\\"#\"    "},
    {"'\\'#' # x", "'\\'#'    "},
    {"a\r\n\tb", "a \n b"},
    {"/**/a /***/", "    a      "},
};

START_TEST(comments_become_blanks)
{
	run(blanks[_i].before);
	ck_assert_uint_eq(out.errors, 0);
	ck_assert_str_eq(scan.text, blanks[_i].after);
	scan_done(&scan);
}
END_TEST

START_TEST(sections_know_their_first_line_and_texts_too)
{
	run("# one\nlistener a\n{\n} x = 'four\nfive' y = \"five\nsix\"\n"
	    "listener b { listen = { 'seven' } }");
	ck_assert_uint_eq(out.errors, 0);
	ck_assert_uint_eq(scan.starts.count, 2);
	ck_assert_uint_eq(scan_start(&scan, 0), 2);
	ck_assert_uint_eq(scan_start(&scan, 1), 7);
	ck_assert_uint_eq(scan_begin(&scan, 3), 3);
	ck_assert_uint_eq(scan_begin(&scan, 5), 4);
	ck_assert_uint_eq(scan_begin(&scan, 6), 5);
	ck_assert_uint_eq(scan_begin(&scan, 7), 7);
	ck_assert_uint_eq(scan.open_line, 0);
	ck_assert_uint_eq(scan.last_line, 7);
	scan_done(&scan);
}
END_TEST

START_TEST(an_open_section_is_the_outermost)
{
	run("listener a { }\nlistener b {\nlistener c {\nlisten = {\n} }\n\n");
	ck_assert_uint_eq(scan.open_line, 2);
	ck_assert_uint_eq(scan.last_line, 5);
	scan_done(&scan);
}
END_TEST

static const struct {
	const char *text;
	unsigned int line; /* 0: no error */
} errors[] = {
    {"a = \"${b}\"", 1},
    {"a = '${b}'", 0},
    {"a = \"\\${b}\"", 0},
    {"a = \"$b\"", 0},
    {"a = $b", 1},
    {"a = \"\\0\"", 1},
    {"a = \"\\000\"", 1},
    {"a = \"\\x0\"", 1},
    {"a = \"\\x00\"", 1},
    {"a = \"\\x0a\\012\\01\\x\"", 0},
    {"a = '\\0'", 0},
    {"\na = \"b", 2},
    {"\na = \"b\\\"", 2},
    {"\na = \"b\\", 2},
    {"\na = 'b\\'", 2},
    {"\n\n/* \n *", 3},
    {"\n/*/", 2},
    {"a = b*c", 1},
    {"a = b/*c*/", 1}, /* a comment does not begin within a word */
    {"a = b\\c", 1},
    {"a + b", 1},
    {"a | b", 1},
    {"'a' = b", 1},
    {"'a' += b", 1},
    {"a += 'b' c = 'd'", 0},
    {"listener 'a' { b = (c) }", 0},
};

START_TEST(what_would_be_misread_is_an_error)
{
	run(errors[_i].text);
	ck_assert_msg((out.errors != 0) == (errors[_i].line != 0), "%s: %s",
	    errors[_i].text, first_error());
	if (out.errors != 0)
		ck_assert_uint_eq(out.diagnostics[0].line, errors[_i].line);
	scan_done(&scan);
}
END_TEST

START_TEST(a_line_has_one_stray_character_reported)
{
	run("; ; ;\n;");
	ck_assert_uint_eq(out.errors, 2);
	scan_done(&scan);
}
END_TEST

UNIT_SUITE(scan)
{
	TCase *tc = unit_case(suite, "scan");

	tcase_add_loop_test(tc, comments_become_blanks, 0,
	    (int)(sizeof(blanks) / sizeof(blanks[0])));
	tcase_add_test(tc, sections_know_their_first_line_and_texts_too);
	tcase_add_test(tc, an_open_section_is_the_outermost);
	tcase_add_loop_test(tc, what_would_be_misread_is_an_error, 0,
	    (int)(sizeof(errors) / sizeof(errors[0])));
	tcase_add_test(tc, a_line_has_one_stray_character_reported);
}
