/* SPDX-License-Identifier: ISC */
/*
 * From text to tree: tokens and grammar of the configuration, and the messages
 * about mistakes.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "conf/syntax/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses a text as the main file. */
static void
run(struct tree *tree, struct diagnostics *out, const char *text)
{
	struct source source = {
	    .text = strdup(text), .token = malloc(strlen(text) + 1)};

	ck_assert_ptr_nonnull(source.text);
	ck_assert_ptr_nonnull(source.token);
	tree_init(tree);
	diagnostics_done(out);
	memset(out, 0, sizeof(*out));
	parse_file(tree, &source, out);
	ck_assert_int_eq(out->failed, 0);
	free(source.token);
	source_done(&source);
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
			fprintf(file, "%u:%s{ ", s->at.line, s->name);
		for (enum key_id id = 0; id < KEY_COUNT; id++)
			for (const struct value *v = section_value(s, id);
			     v != NULL; v = v->next)
				fprintf(file, "%u:%s=%s ", v->at.line,
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
    {"listener \"a b\" { }", "1:a b{ } "}, /* of listener_names_check() */
    {"listener a { backlog = 1 }\nuser = x", "2:user=x 1:a{ 1:backlog=1 } "},
    {"listener a { }\nlistener b { }\nlistener a { }", "1:a{ } 2:b{ } 3:a{ } "},
    {"listener a {\nbacklog = 1\nowner = 'o'\n}\nlistener a {\nbacklog = "
     "2\n}",
	"1:a{ 3:owner=o 2:backlog=1 } 5:a{ 6:backlog=2 } "},
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
    {"listener a { listen = { x, } }", "1:a{ 1:listen=x } "},
    {"listener a { listen += x listen += y }", "1:a{ 1:listen=x 1:listen=y } "},
    {"listener listener { handoff = listener listen = { listen, user } }",
	"1:listener{ 1:listen=listen 1:listen=user 1:handoff=listener } "},
    {"\"listener\" 'a'{backlog=1}", "1:a{ 1:backlog=1 } "},
    {"user = a\nlistener b { owner = c }\nwatchdog = d",
	"1:user=a 3:watchdog=d 2:b{ 2:owner=c } "},
    /* Comments and blanks. */
    {"user # b\n= c", "2:user=c "},
    {"user // b\n= c", "2:user=c "},
    {"user /* \n * */ = c", "2:user=c "},
    {"user = a/b//c",
	"1:user=a/b//c "}, /* a comment can only begin where a token can */
    {"user = /b//c", "1:user=/b//c "},
    {"user=a#b", "1:user=a "},
    {"user = '#//' # x", "1:user=#// "},
    {"user = \"\\\"#\" # x", "1:user=\"# "},
    {"user = '\\'#' # x", "1:user='# "},
    {"user\r\n\t=\rb", "2:user=b "},
    {"/**/user /***/ = /*/ */ b", "1:user=b "},
    /* Quotes and escapes. */
    {"user = \"\\a\\b\\e\\f\\n\\r\\t\\v\\q\"", "1:user=\a\b\033\f\n\r\t\vq "},
    {"user = \"\\x41\\102\\x4g\\7z\"", "1:user=AB\x04g\az "},
    {"user = \"a\\\nb\" watchdog = 'a\\\nb'", "1:user=ab 2:watchdog=ab "},
    {"user = 'a\\b\\\\c\\'d\"'", "1:user=a\\b\\c'd\" "},
    {"user = 'one\ntwo'\nwatchdog = 3", "1:user=one\ntwo 3:watchdog=3 "},
    {"user = \"\303\244\377\"", "1:user=\303\244\377 "},
};

START_TEST(what_was_written_is_in_the_tree)
{
	char text[512] = "";
	static struct diagnostics out;
	struct tree tree;

	run(&tree, &out, texts[_i].text);
	diagnostic_expect_only(&out, 0, NULL, texts[_i].text);
	write_tree(&tree, text, sizeof(text));
	ck_assert_str_eq(text, texts[_i].tree);
	tree_done(&tree);
}
END_TEST

static const struct {
	const char *text;
	const char *tree; /* the complete sections */
	unsigned int line;
	const char *message;
} mistakes[] = {
    {"\n}", "", 2, "\"}\" is out of place: expected \"{\" before it, a key"},
    {"listener a { }\nuser x", "1:a{ } ", 2,
	"\"x\" is out of place: expected \"=\" before it, as in KEY = VALUE"},
    {"user }", "", 1, "\"}\" is out of place: expected \"=\" before it"},
    {"user += x", "", 1, "\"+=\" is out of place: expected a key before it"},
    {"+= x", "", 1, "\"+=\" is out of place: expected a key before it"},
    {"listener a { allow = {} }", "", 1,
	"\"}\" is out of place: expected a value before it"},
    {"listener a\nb", "", 2,
	"\"b\" is out of place: expected listener NAME { ... }"},
    {"listener { }", "", 1, "\"{\" is out of place: expected listener NAME {"},
    {"listener\n= a", "", 2, "\"=\" is out of place: expected listener NAME {"},
    {"listener a { }\nlistener 'b\nc' 'd\ne' }", "1:a{ } ", 3,
	"\"d\ne\" is out of place: expected listener NAME { ... }"},
    {"user = }", "", 1, "\"}\" is out of place: expected a value before"},
    {"user = { x }", "", 1, "\"{\" is out of place: expected a single value"},
    {"= x", "", 1, "\"=\" is out of place: expected a key before it"},
    {"user = = x", "", 1, "\"=\" is out of place: expected a key before it"},
    {"user = x, y", "1:user=x ", 1,
	"\",\" is out of place: expected a value on either side, and a list"},
    {"listener a {\nlisten = {x y} }", "", 2,
	"\"y\" is out of place: expected \",\" or \"}\" after"},
    {"listener a {\nlisten = {x listener} }", "", 2,
	"\"listener\" is out of place: expected \",\" or \"}\" after"},
    {"listener a { }\nlistener b { listen = {,} }", "1:a{ } ", 2,
	"\",\" is out of place: expected a value on either side"},
    {"listener a { }\nlistener b {\nbacklog = 1\nlistener c { } }", "1:a{ } ",
	4,
	"\"listener\" is out of place within the listener of line 2: expected"},
    {"user =\n\n", "", 1, "the file ends here in the middle of a statement"},
    {"user\n# x", "", 1, "the file ends here in the middle of a statement"},
    {"listener a { }\nlistener\n", "1:a{ } ", 2, "the file ends here in the"},
    {"listener a { }\nlistener b\n", "1:a{ } ", 2, "the file ends here in the"},
    {"colour = { x }", "", 1, "unknown key \"colour\""}, /* no more */
    {"colour x", "", 1, "unknown key \"colour\""},
    /* It has everything up to the missing brace. */
    {"listener a {\nbacklog = 1\n", "1:a{ 2:backlog=1 } ", 1,
	"the section that begins here is not closed: expected \"}\""},
    {"listener a { }\nlistener b {\nbacklog =", "1:a{ } ", 2,
	"the section that begins here is not closed: expected \"}\""},
    {"listener a { }\nlistener b {\nlisten = {\nx", "1:a{ } ", 2,
	"the section that begins here is not closed: expected \"}\""},
};

START_TEST(a_mistake_ends_the_text_and_is_told_of)
{
	char text[512] = "";
	static struct diagnostics out;
	struct tree tree;

	run(&tree, &out, mistakes[_i].text);
	diagnostic_expect_only(
	    &out, mistakes[_i].line, mistakes[_i].message, mistakes[_i].text);
	write_tree(&tree, text, sizeof(text));
	ck_assert_str_eq(text, mistakes[_i].tree);
	tree_done(&tree);
}
END_TEST

static const struct {
	const char *text;
	const char *tree;
	unsigned int line;
	const char *message;
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
	"misplaced key \"backlog\": expected it within listener NAME"},
    {"listener a { user = x }", "1:a{ } ", 1,
	"misplaced key \"user\": expected it at the top level, outside"},
    {"listen = { x, y }\nuser = z", "2:user=z ", 1, "misplaced key \"listen\""},
    {"'colour' = x\nuser = z", "2:user=z ", 1, "unknown key \"colour\""},
    {"'user' = x", "1:user=x ", 1,
	"key \"user\" in quotes: expected it without quotes"},
};

START_TEST(what_is_unknown_or_double_does_not_hide_the_rest)
{
	char text[512] = "";
	static struct diagnostics out;
	struct tree tree;

	run(&tree, &out, oddities[_i].text);
	diagnostic_expect_only(
	    &out, oddities[_i].line, oddities[_i].message, oddities[_i].text);
	write_tree(&tree, text, sizeof(text));
	ck_assert_str_eq(text, oddities[_i].tree);
	tree_done(&tree);
}
END_TEST

static const struct {
	const char *text;
	unsigned int line; /* 0: no error */
	const char *message;
} tokens[] = {
    {"user = \"${b}\"", 1, "\"${\" in double quotes: expected \"\\${\""},
    {"user = '${b}'", 0, NULL}, {"user = \"\\${b}\"", 0, NULL},
    {"user = \"$b\"", 0, NULL},
    {"user = $b", 1, "\"$\" outside quotes: expected text with it in"},
    {"user = \"\\0\"", 1, "an escaped NUL: expected text without"},
    {"user = \"\\000\"", 1, "an escaped NUL"},
    {"user = \"\\x0\"", 1, "an escaped NUL"},
    {"user = \"\\x00\"", 1, "an escaped NUL"},
    {"user = \"\\x0a\\012\\01\\x\"", 0, NULL}, {"user = '\\0'", 0, NULL},
    {"user = \"\n\\400\"", 2, "escape sequence \\400: expected up to three"},
    {"user = \"\\1234\"", 1, "escape sequence \\1234: expected up to"},
    {"user = \"\\0001\"", 1, "escape sequence \\0001: expected up to"},
    {"user = \"\\18\"", 1, "escape sequence \\18: expected up to three"},
    {"\nuser = \"b", 2,
	"a text begins here and does not end: expected a "
	"closing \""},
    {"\nuser = \"b\\\"", 2, "a text begins here"},
    {"\nuser = \"b\\", 2, "a text begins here"},
    {"\nuser = 'b\\'\n", 2,
	"a text begins here and does not end: expected a "
	"closing '"},
    {"user = 'b\n'c d", 1, "a text begins here"},
    {"user = \"b\n\"\"c\"", 1, "a text begins here"},
    {"user = 'b\n''c'", 1, "a text begins here"},
    {"\n\n/* \n *", 3, "a comment begins here and does not end: expected"},
    {"\n/*/", 2, "a comment begins here"},
    {"user = b*c", 1, "\"*\" outside quotes"},
    {"user = b/*c*/", 1, "\"*\" outside quotes"}, /* inside a word */
    {"user = b\\c", 1, "\"\\\" outside quotes"},
    {"user = b;", 1, "\";\" outside quotes: expected none, remove it"},
    {"user + b", 1, "\"+\" outside quotes"},
    {"user = (b)", 1, "\"(\" outside quotes"},
    {"\v", 1, "byte 0x0b outside quotes: expected text with it in quotes"},
    {"\377", 1, "byte 0xff outside quotes"}, {"# \377 \001", 0, NULL},
    {"; ; ;", 1, "\";\" outside quotes"}, /* once in each line */
};

START_TEST(a_token_that_is_none_is_told_of_and_nothing_is_read)
{
	char text[512] = "";
	static struct diagnostics out;
	struct tree tree;
	int good = tokens[_i].line == 0;

	run(&tree, &out, tokens[_i].text);
	diagnostic_expect_only(
	    &out, tokens[_i].line, tokens[_i].message, tokens[_i].text);
	write_tree(&tree, text, sizeof(text));
	ck_assert(good || text[0] == '\0');
	tree_done(&tree);
}
END_TEST

START_TEST(every_token_is_told_of_before_the_grammar_is)
{
	static struct diagnostics out;
	struct tree tree;

	run(&tree, &out, "} ;\n;\nuser = \"${\" \"\\0\"");
	ck_assert_uint_eq(out.errors, 4);
	diagnostic_expect(&out, 1, "\";\" outside quotes", "first");
	diagnostic_expect(&out, 2, "\";\" outside quotes", "second");
	diagnostic_expect(&out, 3, "\"${\" in double quotes", "third");
	diagnostic_expect(&out, 3, "an escaped NUL", "fourth");
	tree_done(&tree);
}
END_TEST

START_TEST(an_unknown_key_hides_no_mistake_of_a_later_listener)
{
	static struct diagnostics out;
	struct tree tree;

	run(&tree, &out, "colour = red\nlistener a\nb");
	ck_assert_uint_eq(out.errors, 2);
	diagnostic_expect(&out, 1, "unknown key \"colour\"", "key");
	diagnostic_expect(&out, 3, "\"b\" is out of place", "listener");
	tree_done(&tree);
}
END_TEST

/* Bison reads no token before it has to.  The actions depend on that: each of
 * them finds the text and line of the token before. */
START_TEST(a_large_text_is_read_as_a_small_one)
{
	const char line[] = "listener a { listen = { x, y } backlog = 1 }\n";
	const size_t count = 20000;
	char *text = calloc(count, sizeof(line));
	const struct section *section;
	static struct diagnostics out;
	struct tree tree;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * strlen(line), line, strlen(line));
	run(&tree, &out, text);
	diagnostic_expect_only(&out, 0, NULL, "large");
	section = tree.first;
	for (unsigned int i = 1; i <= count; i++, section = section->next) {
		ck_assert_uint_eq(section->at.line, i);
		ck_assert_str_eq(
		    section_value(section, KEY_LISTEN)->next->text, "y");
		ck_assert_uint_eq(section_at(section, KEY_BACKLOG).line, i);
	}
	ck_assert_ptr_null(section);
	tree_done(&tree);
	free(text);
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
	tcase_add_loop_test(tc,
	    a_token_that_is_none_is_told_of_and_nothing_is_read, 0,
	    (int)UNIT_COUNT(tokens));
	tcase_add_test(tc, every_token_is_told_of_before_the_grammar_is);
	tcase_add_test(tc, an_unknown_key_hides_no_mistake_of_a_later_listener);
	tcase_add_test(tc, a_large_text_is_read_as_a_small_one);
}
