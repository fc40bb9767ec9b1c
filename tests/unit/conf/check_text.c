/* SPDX-License-Identifier: ISC */
/*
 * The parts of the config reader that only handle text: numbers, paths,
 * reasons, and arrays of line numbers.
 */
#include "fixture/unit.h"

#include "conf/text/number.h"
#include "conf/text/pathname.h"
#include "conf/text/reason.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNTOUCHED 4711

static const struct {
	const char *text;
	int base;
	uint64_t min, max;
	int error;
	uint64_t value;
} numbers[] = {
    {"0", 10, 0, 9, 0, 0},
    {"9", 10, 9, 9, 0, 9},
    {"0000000000000000000000042", 10, 0, 99, 0, 42},
    {"755", 8, 0, 0777, 0, 0755},
    {"0755", 8, 0, 0777, 0, 0755},
    {"0755", 10, 0, 999, 0, 755},
    {"18446744073709551615", 10, 0, UINT64_MAX, 0, UINT64_MAX},
    {"1777777777777777777777", 8, 0, UINT64_MAX, 0, UINT64_MAX},
    {"18446744073709551616", 10, 0, UINT64_MAX, ERANGE, 0},
    {"2000000000000000000000", 8, 0, UINT64_MAX, ERANGE, 0},
    /* Modulo 2^64 these are 5, the second one after two rounds. */
    {"18446744073709551621", 10, 0, 9, ERANGE, 0},
    {"36893488147419103237", 10, 0, 9, ERANGE, 0},
    {"10", 10, 0, 9, ERANGE, 0},
    {"8", 10, 9, 99, ERANGE, 0},
    {"", 10, 0, 9, EINVAL, 0},
    {"8", 8, 0, 9, EINVAL, 0},
    {"a", 10, 0, 99, EINVAL, 0},
    {":", 10, 0, 99, EINVAL, 0}, /* the character after 9 */
    {"/", 10, 0, 99, EINVAL, 0}, /* the character before 0 */
    {"+1", 10, 0, 9, EINVAL, 0},
    {"-1", 10, 0, UINT64_MAX, EINVAL, 0},
    {" 1", 10, 0, 9, EINVAL, 0},
    {"1 ", 10, 0, 9, EINVAL, 0},
    {"1\n", 10, 0, 9, EINVAL, 0},
    {"0x1", 10, 0, 9, EINVAL, 0},
    {"1.0", 10, 0, 9, EINVAL, 0},
    {"\xb1", 10, 0, 999, EINVAL, 0}, /* 1 in another script */
    {"99999999999999999999x", 10, 0, 9, EINVAL, 0},
};

START_TEST(a_number_is_digits_within_its_limits_and_nothing_else)
{
	uint64_t value = UNTOUCHED;
	int result;

	errno = 0;
	result = number_parse(numbers[_i].text, numbers[_i].base,
	    numbers[_i].min, numbers[_i].max, &value);
	ck_assert_int_eq(errno, numbers[_i].error);
	ck_assert_int_eq(result, numbers[_i].error == 0 ? 0 : -1);
	ck_assert_uint_eq(
	    value, numbers[_i].error == 0 ? numbers[_i].value : UNTOUCHED);
}
END_TEST

static const struct {
	const char *path;
	const char *clean;
} clean[] = {
    {"", ""},
    {".", "."},
    {"a", "a"},
    {"./a", "a"},
    {"././a/", "a/"},
    {".//a", "a"}, /* not /a */
    {"..", ".."},
    {"../a", "../a"},
    {".../a./.b", ".../a./.b"},
    {"///", "/"},
    {"/.//./", "/"},
    {"/a/./.", "/a/"},
    {"/a/..", "/a/.."},
    {"/a//", "/a/"},
};

START_TEST(a_path_loses_what_says_nothing)
{
	char *path = pathname_clean(clean[_i].path);

	ck_assert_ptr_nonnull(path);
	ck_assert_str_eq(path, clean[_i].clean);
	free(path);
}
END_TEST

static const struct {
	const char *path;
	const char *behind; /* what follows the current directory; NULL:
			       absolute is the result */
	const char *absolute;
} absolute[] = {
    {"/", NULL, "/"},
    {"//a/./b", NULL, "/a/b"},
    {"a", "/a", NULL},
    {"./a//b/", "/a/b/", NULL},
    {"../a", "/../a", NULL},
    {".", "/", NULL},
    {"", "/", NULL},
};

START_TEST(a_relative_path_begins_with_the_current_directory)
{
	char expected[PATH_MAX + 16];
	char *path;

	ck_assert_int_eq(chdir(unit_directory("here", 0755)), 0);
	path = pathname_absolute(absolute[_i].path);
	ck_assert_ptr_nonnull(path);
	if (absolute[_i].behind == NULL)
		snprintf(
		    expected, sizeof(expected), "%s", absolute[_i].absolute);
	else
		snprintf(expected, sizeof(expected), "%s%s", unit_path("here"),
		    absolute[_i].behind);
	ck_assert_str_eq(path, expected);
	free(path);
}
END_TEST

START_TEST(a_directory_that_is_gone_has_no_name)
{
	char *path;

	ck_assert_int_eq(chdir(unit_directory("gone", 0755)), 0);
	ck_assert_int_eq(rmdir(unit_path("gone")), 0);
	ck_assert_ptr_null(pathname_absolute("a"));
	ck_assert_int_eq(errno, ENOENT);
	path = pathname_absolute("/a");
	ck_assert_ptr_nonnull(path);
	free(path);
}
END_TEST

START_TEST(a_reason_is_cut_to_what_fits)
{
	char value[4 * REASON_SIZE];
	struct reason reason;

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(reason_set(&reason, "%d: %s", 42, value), -1);
	ck_assert_uint_eq(strlen(reason.text), REASON_SIZE - 1);
	ck_assert_int_eq(strncmp(reason.text, "42: xxx", 7), 0);
	/* A value leaves room for what is expected. */
	ck_assert_int_eq(
	    reason_set(&reason, REASON_VALUE ": expected", value), -1);
	ck_assert_uint_eq(strlen(reason.text), 162 + strlen(": expected"));
	ck_assert_str_eq(reason.text + 161, "\": expected");
}
END_TEST

START_TEST(a_failure_of_the_system_has_no_text)
{
	struct reason reason;

	reason_set(&reason, "a text");
	ck_assert_int_eq(reason_system(&reason), -1);
	ck_assert_str_eq(reason.text, "");
}
END_TEST

static void
expect_followed(const char *path, const char *expected)
{
	char whole[PATH_MAX], *followed;

	snprintf(whole, sizeof(whole), "%s", unit_path(path));
	followed = pathname_follow(whole);
	if (expected == NULL) {
		ck_assert_ptr_null(followed);
		ck_assert_int_eq(errno, ELOOP);
	} else {
		ck_assert_pstr_eq(followed, unit_path(expected));
	}
	free(followed);
}

START_TEST(a_link_that_others_cannot_make_is_followed)
{
	unit_directory("run", 0755);
	ck_assert_int_eq(symlink("run", unit_path("relative")), 0);
	ck_assert_int_eq(symlink("./relative/", unit_path("two")), 0);
	ck_assert_int_eq(symlink("endless", unit_path("endless")), 0);
	expect_followed("run/s", "run/s");
	expect_followed("relative/s", "run/s");
	expect_followed("two/absent/s", "run/absent/s");
	/* The last part is the socket's own place. */
	expect_followed("relative", "relative");
	expect_followed("endless/s", NULL);
}
END_TEST

START_TEST(a_link_that_others_can_make_is_not_followed)
{
	unit_directory("run", 0755);
	unit_directory("open", 0777);
	unit_directory("sticky", 01777);
	ck_assert_int_eq(symlink("../run", unit_path("open/link")), 0);
	ck_assert_int_eq(symlink("../run", unit_path("sticky/link")), 0);
	expect_followed("open/link/s", NULL);
	expect_followed("sticky/link/s", "sticky/../run/s");
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(symlink("run", unit_path("foreign")), 0);
	ck_assert_int_eq(lchown(unit_path("foreign"), 1234, 1234), 0);
	expect_followed("foreign/s", NULL);
}
END_TEST

UNIT_SUITE(text)
{
	TCase *tc = unit_case(suite, "text");

	tcase_add_loop_test(tc,
	    a_number_is_digits_within_its_limits_and_nothing_else, 0,
	    (int)UNIT_COUNT(numbers));
	tcase_add_loop_test(
	    tc, a_path_loses_what_says_nothing, 0, (int)UNIT_COUNT(clean));
	tcase_add_loop_test(tc,
	    a_relative_path_begins_with_the_current_directory, 0,
	    (int)UNIT_COUNT(absolute));
	tcase_add_test(tc, a_directory_that_is_gone_has_no_name);
	tcase_add_test(tc, a_reason_is_cut_to_what_fits);
	tcase_add_test(tc, a_link_that_others_cannot_make_is_followed);
	tcase_add_test(tc, a_link_that_others_can_make_is_not_followed);
	tcase_add_test(tc, a_failure_of_the_system_has_no_text);
}
