/* SPDX-License-Identifier: ISC */
/*
 * Users and groups to which a monitor can give files.
 */
#include "fixture/unit.h"

#include "conf/meaning/ownership.h"

#include <grp.h>
#include <unistd.h>

#define STRANGER 60581
#define GROUP 60583

START_TEST(root_gives_files_to_anybody)
{
	const struct ids ids = {.privileged = 1};
	struct reason reason;

	ck_assert_int_eq(ownership_check_user(&ids, "7", 7, &reason), 0);
	ck_assert_int_eq(ownership_check_group(&ids, "7", 7, &reason), 0);
}
END_TEST

START_TEST(another_user_keeps_them)
{
	const struct ids ids = {.record = {.monitor = 8}};
	struct reason reason;

	ck_assert_int_eq(ownership_check_user(&ids, "8", 8, &reason), 0);
	ck_assert_int_eq(ownership_check_user(&ids, "7", 7, &reason), -1);
	ck_assert_str_eq(reason.text,
	    "\"7\": expected uid 8, since brokerd does not run as root");
}
END_TEST

static void
member_body(void *argument)
{
	const struct ids ids = {.record = {.monitor = STRANGER}};
	const gid_t groups[] = {GROUP};
	struct reason reason;

	(void)argument;
	if (geteuid() != 0)
		_exit(0); /* nobody else can choose groups */
	unit_must(setgroups(1, groups) == 0);
	unit_must(setresgid(STRANGER, STRANGER, STRANGER) == 0);
	unit_must(setresuid(STRANGER, STRANGER, STRANGER) == 0);
	unit_must(ownership_check_group(&ids, "a", STRANGER, &reason) == 0);
	unit_must(ownership_check_group(&ids, "b", GROUP, &reason) == 0);
	unit_must(ownership_check_group(&ids, "c", GROUP + 1, &reason) == -1);
}

START_TEST(another_user_gives_files_to_the_own_groups)
{
	unit_in_child(member_body, NULL);
}
END_TEST

UNIT_SUITE(ownership)
{
	TCase *tc = unit_case(suite, "ownership");

	tcase_add_test(tc, root_gives_files_to_anybody);
	tcase_add_test(tc, another_user_keeps_them);
	tcase_add_test(tc, another_user_gives_files_to_the_own_groups);
}
