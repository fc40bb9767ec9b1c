/* SPDX-License-Identifier: ISC */
/*
 * The command line of the config reader: the meaning of each option,
 * combinations, and the messages about wrong ones.
 */
#include "fixture/unit.h"

#include "conf/options.h"

#include <string.h>
#include <unistd.h>

#define WORDS 12

/* Splits line at its blanks ("''" is an empty word) and reads it. */
static void
run(struct options *options, struct tree *tree, const char *line)
{
	static char text[256], program[] = "brokerd-conf";
	char *argv[WORDS + 2] = {program};
	int argc = 1;

	ck_assert_uint_lt(strlen(line), sizeof(text));
	strcpy(text, line);
	for (char *word = strtok(text, " "); word != NULL;
	     word = strtok(NULL, " ")) {
		ck_assert_int_le(argc, WORDS);
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	tree_init(tree);
	ck_assert_int_eq(options_read(options, tree, argc, argv), 0);
}

#define READY_FD "--ready-fd needs the number of a descriptor, 3 or more"

static const struct {
	const char *line;
	const char *wrong; /* "": nothing */
} lines[] = {
    {"-R /r", ""},
    {"-p -R /r -t -c f -u u", ""},
    {"-R/r -cf -ptu u", ""},
    {"-R /r -l a -m b", ""},
    {"-R /r -l a -l b -m b -o c", ""},
    {"-R /r -E /e", ""}, /* the monitor's */
    {"-h", ""},
    {"-V", ""},
    {"-k", ""},
    {"-h -l a", ""}, /* -h is for those who make mistakes */
    {"", "-R needs an absolute path"},
    {"-R r", "-R needs an absolute path"},
    {"-R ''", "-R needs an absolute path"},
    {"-R /r -R r", "-R needs an absolute path"},
    {"-R /r -l a", "-l needs -m MAILBOX"},
    {"-R /r -l a -m ''", "-m needs a path, not an empty one"},
    {"-R /r -m b", "-m and -o need -l ADDRESS"},
    {"-R /r -o c", "-m and -o need -l ADDRESS"},
    {"-R /r -m b -o c", "-m and -o need -l ADDRESS"},
    {"-R /r -l a -m b -o c -o c", "-o is given twice"},
    {"-R /r -l a -m b -m b", "-m is given twice"},
    {"-R /r -c f -c f", "-c is given twice"},
    {"-R /r -u u -u u", "-u is given twice"},
    {"-R /r -l a -m b -c f", "-l and -c cannot be combined"},
    {"-R /r -x", "-x: unknown option"},
    {"-R /r -tx", "-x: unknown option"},
    {"-R /r --test", "--test: unknown option"},
    {"-R /r -c", "-c: expected a value"},
    {"-R", "-R: expected a value"},
    {"-R /r f", "f: unexpected argument"},
    {"-R /r f g", "f: unexpected argument"},
    {"-R /r -- -t", "-t: unexpected argument"},
    {"-R /r ''", ": unexpected argument"},
    {"-h f", "f: unexpected argument"},
    {"-h -x", "-x: unknown option"},
    {"-R r -x -c", "-x: unknown option"}, /* the first one is reported */
    {"-R /r --ready-fd 3", ""},
    {"-R /r --ready-fd=32767", ""},
    {"-R /r -l a -m b --ready-fd 4 -o c", ""},
    {"-R /r --ready-fd 2", READY_FD},
    {"-R /r --ready-fd 32768", READY_FD},
    {"-R /r --ready-fd -3", READY_FD},
    {"-R /r --ready-fd 3x", READY_FD},
    {"-R /r --ready-fd=", READY_FD},
    {"-R /r --ready-fd", "--ready-fd: expected a value"},
    {"-R /r --ready-fds 3", "--ready-fds: unknown option"},
    {"-R /r -r 3", "-r: unknown option"},
};

START_TEST(what_is_wrong_with_a_command_line_is_said)
{
	struct options options;
	struct tree tree;

	run(&options, &tree, lines[_i].line);
	ck_assert_msg(strcmp(options.wrong, lines[_i].wrong) == 0, "%s: %s",
	    lines[_i].line, options.wrong);
	tree_done(&tree);
}
END_TEST

START_TEST(a_long_word_is_cut)
{
	struct options options;
	struct tree tree;
	char line[128] = "-R /r ";

	memset(line + 6, 'x', 100);
	run(&options, &tree, line);
	ck_assert_int_eq(strncmp(options.wrong, line + 6, 60), 0);
	ck_assert_str_eq(options.wrong + 60, ": unexpected argument");
	tree_done(&tree);
}
END_TEST

START_TEST(what_is_not_given_is_not_there)
{
	struct options options;
	struct tree tree;

	run(&options, &tree, "-R /r");
	ck_assert_int_eq(options.privileged, 0);
	ck_assert_int_eq(options.print, 0);
	ck_assert_int_eq(options.test, 0);
	ck_assert_ptr_null(options.user);
	ck_assert_ptr_null(options.mailbox);
	ck_assert_ptr_null(options.listener);
	ck_assert_ptr_null(tree.first);
	/* The default, an absolute path, begins the messages. */
	ck_assert_int_eq(options.file[0], '/');
	tree_done(&tree);
}
END_TEST

START_TEST(each_option_is_where_it_belongs)
{
	struct options options;
	struct tree tree;

	run(&options, &tree, "-p -R /r -R /s -t -c f -u u");
	ck_assert_int_eq(options.privileged, 1);
	ck_assert_int_eq(options.test, 1);
	ck_assert_str_eq(
	    options.rundir, "/s"); /* the person's option comes last */
	ck_assert_str_eq(options.file, "f");
	ck_assert_str_eq(options.user, "u");
	ck_assert_int_eq(options.print, 0);
	tree_done(&tree);
}
END_TEST

START_TEST(what_only_prints_is_known_by_its_letter)
{
	static const char *const words[] = {"-h", "-V", "-k"};
	struct options options;
	struct tree tree;

	run(&options, &tree, words[_i]);
	ck_assert_int_eq(options.print, words[_i][1]);
	tree_done(&tree);
}
END_TEST

START_TEST(the_command_line_is_a_listener)
{
	struct options options;
	struct tree tree;
	const struct value *value;

	run(&options, &tree, "-R /r -o c -l a -m b -l d");
	ck_assert_str_eq(options.wrong, "");
	ck_assert_ptr_nonnull(options.listener);
	ck_assert_ptr_eq(options.listener, tree.first);
	ck_assert_ptr_null(options.listener->next);
	ck_assert_str_eq(options.listener->name, "default");
	ck_assert_uint_eq(options.listener->at.line, 0);
	value = section_value(options.listener, KEY_LISTEN);
	ck_assert_str_eq(value->text, "a");
	ck_assert_uint_eq(value->at.line, 0);
	ck_assert_str_eq(value->next->text, "d");
	ck_assert_ptr_null(value->next->next);
	value = section_value(options.listener, KEY_OWNER);
	ck_assert_str_eq(value->text, "c");
	ck_assert_str_eq(options.mailbox, "b");
	ck_assert_str_eq(options.file, "command line");
	tree_done(&tree);
}
END_TEST

UNIT_SUITE(options)
{
	TCase *tc = unit_case(suite, "options");

	tcase_add_loop_test(tc, what_is_wrong_with_a_command_line_is_said, 0,
	    (int)UNIT_COUNT(lines));
	tcase_add_test(tc, a_long_word_is_cut);
	tcase_add_test(tc, what_is_not_given_is_not_there);
	tcase_add_test(tc, each_option_is_where_it_belongs);
	tcase_add_loop_test(tc, what_only_prints_is_known_by_its_letter, 0, 3);
	tcase_add_test(tc, the_command_line_is_a_listener);
}
