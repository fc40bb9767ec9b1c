/* SPDX-License-Identifier: ISC */
/*
 * Files that a configuration includes: which ones, in which order, and what is
 * said of those that cannot be read.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/syntax/include.h"
#include "conf/syntax/parse.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRANGER 60581

/* Writes a file of the test's directory. */
static const char *
write_file(const char *name, const char *text)
{
	const char *path = unit_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fd_close(fd);
	return path;
}

/* Parses a file of that name and text as the main one. */
static void
run(struct tree *tree, struct diagnostics *out, const char *name,
    const char *text)
{
	const char *path = write_file(name, text);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct source source = {.includer = NULL};

	tree_init(tree);
	memset(out, 0, sizeof(*out));
	ck_assert_int_eq(diagnostics_add_file(out, path), 0);
	ck_assert_int_eq(source_read(&source, fd, out), 1);
	fd_close(fd);
	parse_file(tree, &source, out);
	source_done(&source);
	ck_assert_int_eq(out->failed, 0);
}

/* The names of the listeners, in their order, one letter each. */
static const char *
names(const struct tree *tree)
{
	static char text[64];
	size_t used = 0;

	for (const struct section *s = tree->first; s != NULL; s = s->next)
		text[used++] = s->name[0];
	text[used] = '\0';
	return text;
}

/* Asserts that out has one diagnostic, with that text in it, in that line of
 * a file whose name ends so, and ends both. */
static void
expect(struct tree *tree, struct diagnostics *out, const char *file,
    unsigned int line, const char *text)
{
	const struct diagnostic *item = &out->items[0];
	const char *name;

	ck_assert_msg(out->count == (text != NULL), "%zu diagnostics: %s",
	    out->count, out->count > 0 ? item->text : "none");
	if (text != NULL) {
		name = out->files[item->at.file];
		ck_assert_msg(
		    strstr(item->text, text) != NULL, "%s", item->text);
		ck_assert_uint_eq(item->at.line, line);
		ck_assert_str_eq(name + strlen(name) - strlen(file), file);
	}
	tree_done(tree);
	diagnostics_done(out);
}

static struct diagnostics out;
static struct tree tree;

START_TEST(matching_files_are_read_in_their_order_where_they_are_included)
{
	unit_directory("d", 0755);
	write_file("d/2.conf", "listener c { }");
	write_file("d/10.conf", "\nlistener b { }\n");
	write_file("d/A.conf", "");
	write_file("d/B.conf", "listener d { } user = x");
	write_file("d/.e.conf", "listener e { }");
	write_file("d/e.conf~", "listener e { }");
	run(&tree, &out, "main",
	    "listener a { } include 'd/*.conf' listener f { }\nwatchdog = 1");
	ck_assert_str_eq(names(&tree), "abcdf");
	ck_assert_uint_eq(out.file_count, 5);
	ck_assert_uint_eq(tree.first->next->at.file, 1);
	ck_assert_uint_eq(tree.first->next->at.line, 2);
	ck_assert_str_eq(
	    strrchr(out.files[section_at(&tree.top, KEY_USER).file], '/'),
	    "/B.conf");
	ck_assert_uint_eq(section_at(&tree.top, KEY_WATCHDOG).file, 0);
	ck_assert_uint_eq(section_at(&tree.top, KEY_WATCHDOG).line, 2);
	expect(&tree, &out, "", 0, NULL);
}
END_TEST

START_TEST(a_path_is_relative_to_the_file_that_names_it)
{
	char text[512];

	unit_directory("[x]*", 0755);
	unit_directory("[x]*/sub", 0755);
	unit_directory("elsewhere", 0755);
	snprintf(text, sizeof(text),
	    "include \"%s\"\ninclude sub/a include \"s?b/\\b\"",
	    write_file("elsewhere/d", "listener d { }"));
	write_file("[x]*/sub/a", "include b include \"../c\"");
	write_file("[x]*/sub/b", "listener b { }");
	write_file("[x]*/c", "listener c { }");
	run(&tree, &out, "[x]*/main", text);
	ck_assert_str_eq(names(&tree), "dbc");
	expect(&tree, &out, "", 0, NULL);
}
END_TEST

static const struct {
	const char *main;
	unsigned int line;
	const char *message;
} missing[] = {
    {"include 'none*'", 0, NULL},
    {"include 'none/*.conf'", 0, NULL},
    {"include '*/none'", 0, NULL},
    {"include '[x]'", 0, NULL},
    {"\ninclude none", 2, "none\": No such file or directory: expected a "},
    {"include 'none/a.conf'", 1, "none/a.conf\": No such file or directory"},
    {"include 'main/a'", 1, "main/a\": Not a directory: expected a file"},
    {"include a\\b", 1, "outside quotes"},
};

START_TEST(a_pattern_may_match_nothing_but_a_name_must_exist)
{
	run(&tree, &out, "main", missing[_i].main);
	expect(&tree, &out, "main", missing[_i].line, missing[_i].message);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_told_of)
{
	char text[6000] = "include ";

	memset(text + strlen(text), 'x', 5000);
	run(&tree, &out, "main", text);
	expect(&tree, &out, "main", 1, "xxx\": File name too long");
	/* glob(3) would overflow the stack. */
	memset(text + strlen("include "), '/', 4000);
	strcpy(text + strlen("include ") + 4000, "x'");
	memcpy(text + strlen("include "), "'*", 2);
	run(&tree, &out, "main", text);
	expect(&tree, &out, "main", 1, "///\": File name too long");
}
END_TEST

START_TEST(mistakes_are_in_the_file_that_has_them_and_hide_no_other)
{
	unit_directory("d", 0755);
	write_file("d/a", "listener a {");
	write_file("d/b", "\n;\n");
	write_file("d/c", "\n\nuser = 7 listener c { }");
	write_file("d/d", "listener d { x = 1 }");
	run(&tree, &out, "main", "user = 8\ninclude 'd/*' listener e { } }\n");
	ck_assert_str_eq(names(&tree), "acde");
	ck_assert_uint_eq(out.count, 5);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(out.items[i].at.file, i + 1);
	ck_assert_uint_eq(out.items[0].at.line, 1);
	ck_assert_uint_eq(out.items[1].at.line, 2);
	ck_assert_uint_eq(out.items[2].at.line, 3);
	ck_assert_ptr_nonnull(strstr(out.items[2].text, "user: given in /"));
	ck_assert_ptr_nonnull(strstr(out.items[2].text, "/main:1 already"));
	ck_assert_uint_eq(out.items[4].at.file, 0);
	ck_assert_uint_eq(out.items[4].at.line, 2);
	tree_done(&tree);
	diagnostics_done(&out);
}
END_TEST

START_TEST(files_are_nested_four_deep_and_no_deeper)
{
	write_file("1", "include 2");
	write_file("2", "include 3");
	write_file("3", "include 4");
	write_file("4", "listener a { }");
	write_file("5", "listener b { }");
	run(&tree, &out, "main", "include 1");
	ck_assert_str_eq(names(&tree), "a");
	expect(&tree, &out, "", 0, NULL);
	write_file("4", "listener a { }\ninclude 5");
	run(&tree, &out, "main", "include 1");
	ck_assert_str_eq(names(&tree), "a");
	expect(&tree, &out, "/4", 2, "include: nested too deeply: expected at");
}
END_TEST

START_TEST(a_file_does_not_include_itself)
{
	run(&tree, &out, "main", "\ninclude main listener a { }");
	ck_assert_str_eq(names(&tree), "a");
	expect(&tree, &out, "/main", 2, "/main\" includes itself: expected");
	write_file("a", "include c");
	ck_assert_int_eq(link(unit_path("a"), unit_path("b")), 0);
	ck_assert_int_eq(symlink("b", unit_path("c")), 0);
	run(&tree, &out, "main", "include a");
	expect(&tree, &out, "/a", 1, "/c\" includes itself: expected");
	/* Twice is not itself. */
	write_file("d", "");
	run(&tree, &out, "main", "include d include d");
	expect(&tree, &out, "", 0, NULL);
}
END_TEST

/* The first files of two new file systems have the same inode number. */
static void
file_systems_body(void *argument)
{
	const char *one = unit_path("one"), *two = unit_path("two");
	char text[256];
	struct stat a, b;

	(void)argument;
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", one, "tmpfs", 0, NULL) == -1 ||
	    mount("none", two, "tmpfs", 0, NULL) == -1)
		_exit(0); /* only root can */
	snprintf(text, sizeof(text), "include '%s'",
	    write_file("two/main", "listener a { }"));
	run(&tree, &out, "one/main", text);
	unit_must(stat(unit_path("one/main"), &a) == 0);
	unit_must(stat(unit_path("two/main"), &b) == 0);
	unit_must(a.st_ino == b.st_ino);
	unit_must(out.count == 0);
	unit_must(strcmp(names(&tree), "a") == 0);
	tree_done(&tree);
	diagnostics_done(&out);
}

START_TEST(one_inode_number_of_two_file_systems_is_two_files)
{
	unit_directory("one", 0755);
	unit_directory("two", 0755);
	unit_in_child(file_systems_body, NULL);
}
END_TEST

START_TEST(a_file_keeps_the_rules_of_the_main_one)
{
	ck_assert_int_eq(mkfifo(unit_path("fifo"), 0644), 0);
	run(&tree, &out, "main", "include fifo");
	expect(&tree, &out, "/fifo", 0, "this is a FIFO or a device: expected");
	unit_directory("d", 0755);
	run(&tree, &out, "main", "include 'd*' listener a { }");
	ck_assert_str_eq(names(&tree), "a");
	expect(&tree, &out, "/d", 0, "this is a directory: expected a regular");
	run(&tree, &out, "main", "include ''");
	expect(&tree, &out, "/", 0, "this is a directory: expected a regular");
	write_file("large", "");
	ck_assert_int_eq(truncate(unit_path("large"), SOURCE_MAX + 1), 0);
	run(&tree, &out, "main", "include large");
	expect(&tree, &out, "/large", 1, "the file is too large: expected");
	write_file("nul", "#\n");
	ck_assert_int_eq(truncate(unit_path("nul"), 3), 0);
	run(&tree, &out, "main", "include nul");
	expect(&tree, &out, "/nul", 2, "a NUL byte: expected a text file");
}
END_TEST

/* What run() did before parse_file() needs no rights; what it reads does. */
static void
stranger_body(void *argument)
{
	(void)argument;
	if (geteuid() == 0)
		unit_must(setresgid(STRANGER, STRANGER, STRANGER) == 0 &&
		    setresuid(STRANGER, STRANGER, STRANGER) == 0);
	run(&tree, &out, "open/main",
	    "include '../a'\ninclude '../shut/*'\ninclude '../shut/a'");
	unit_must(out.count == 3);
	for (unsigned int i = 0; i < 3; i++) {
		char message[128];

		snprintf(message, sizeof(message),
		    "Permission denied: expected read permission for uid %u ",
		    (unsigned int)getuid());
		unit_must(out.items[i].at.line == i + 1);
		unit_must(strstr(out.items[i].text, message) != NULL);
	}
	tree_done(&tree);
	diagnostics_done(&out);
}

START_TEST(a_file_that_its_user_may_not_read_is_told_of)
{
	write_file("a", "");
	ck_assert_int_eq(chmod(unit_path("a"), 0), 0);
	unit_directory("open", 0777);
	unit_directory("shut", 0);
	unit_in_child(stranger_body, NULL);
	ck_assert_int_eq(chmod(unit_path("shut"), 0755), 0);
}
END_TEST

START_TEST(a_thousand_files_are_included_and_no_more)
{
	char name[16];

	unit_directory("d", 0755);
	for (int i = 0; i < DIAGNOSTICS_FILES - 1; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		write_file(name, i == 0 ? "listener a { }" : "");
	}
	run(&tree, &out, "main", "include 'd/*'");
	ck_assert_str_eq(names(&tree), "a");
	expect(&tree, &out, "", 0, NULL);
	run(&tree, &out, "main", "include 'd/*'\ninclude main listener b { }");
	ck_assert_str_eq(names(&tree), "ab");
	expect(&tree, &out, "/main", 2,
	    "include: \"main\": 1001 files: expected at most 1000 in all");
	/* The first one includes another. */
	write_file("e", "");
	write_file("d/0", "include '../e'");
	run(&tree, &out, "main", "include 'd/*' listener b { }");
	ck_assert_str_eq(names(&tree), "b");
	expect(&tree, &out, "/main", 1,
	    "/d/1\": 1001 files: expected at most 1000 in all");
}
END_TEST

UNIT_SUITE(include)
{
	TCase *tc = unit_case(suite, "include");

	tcase_add_test(
	    tc, matching_files_are_read_in_their_order_where_they_are_included);
	tcase_add_test(tc, a_path_is_relative_to_the_file_that_names_it);
	tcase_add_loop_test(tc,
	    a_pattern_may_match_nothing_but_a_name_must_exist, 0,
	    (int)UNIT_COUNT(missing));
	tcase_add_test(tc, a_name_that_is_too_long_is_told_of);
	tcase_add_test(
	    tc, mistakes_are_in_the_file_that_has_them_and_hide_no_other);
	tcase_add_test(tc, files_are_nested_four_deep_and_no_deeper);
	tcase_add_test(tc, a_file_does_not_include_itself);
	tcase_add_test(tc, one_inode_number_of_two_file_systems_is_two_files);
	tcase_add_test(tc, a_file_keeps_the_rules_of_the_main_one);
	tcase_add_test(tc, a_file_that_its_user_may_not_read_is_told_of);
	tcase_add_test(tc, a_thousand_files_are_included_and_no_more);
}
