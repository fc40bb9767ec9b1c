/* SPDX-License-Identifier: ISC */
/*
 * What the engines before have logged is not logged again.
 */
#include "fixture/unit.h"

#include "engine/handoff/reported.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct reported reported;

static int
is_new(const char *directory, const char *name, int error, ino_t inode)
{
	return reported_is_new(&reported, directory, name, error, inode);
}

START_TEST(an_error_is_new_once)
{
	ck_assert(is_new("/a/", "b", EPERM, 1));
	ck_assert(!is_new("/a/", "b", EPERM, 1));
	ck_assert(is_new("/a/", "c", EPERM, 1));
	ck_assert(is_new("/b/", "b", EPERM, 1));
	ck_assert(is_new("/a/", "b", EACCES, 1)); /* another error */
	ck_assert(is_new("/a/", "b", EACCES, 2)); /* another file */
	ck_assert(!is_new("/a/", "b", EACCES, 2));
}
END_TEST

START_TEST(what_was_over_is_new)
{
	ck_assert(is_new("/a/", "b", EPERM, 1));
	reported_forget(&reported, "/a/", "c");
	ck_assert(!is_new("/a/", "b", EPERM, 1));
	reported_forget(&reported, "/a/", "b");
	ck_assert(is_new("/a/", "b", EPERM, 1));
}
END_TEST

/* The last ones are known. */
START_TEST(any_number_of_names_and_any_contents_are_harmless)
{
	char name[16];

	memset(&reported, _i, sizeof(reported));
	for (int i = 0; i < 3 * REPORTED_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ck_assert(is_new("/a/", name, EPERM, 1));
		ck_assert(!is_new("/a/", name, EPERM, 1));
	}
}
END_TEST

UNIT_SUITE(reported)
{
	TCase *tc = unit_case(suite, "reported");

	tcase_add_test(tc, an_error_is_new_once);
	tcase_add_test(tc, what_was_over_is_new);
	tcase_add_loop_test(
	    tc, any_number_of_names_and_any_contents_are_harmless, 0, 256);
}
