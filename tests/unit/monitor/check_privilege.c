/* SPDX-License-Identifier: ISC */
/*
 * The privilege ladder, step by step, as shown in /proc.
 */
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "monitor/privilege.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <linux/capability.h>
#include <linux/securebits.h>

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#define BIT(capability) (UINT64_C(1) << (capability))

/* NET_BIND_SERVICE SETUID SETGID SETPCAP KILL CHOWN */
static const uint64_t six =
    BIT(10) | BIT(7) | BIT(6) | BIT(8) | BIT(5) | BIT(0);

static void
must_have(uint64_t permitted, uint64_t bounds)
{
	unit_must(test_process_set("CapEff") == permitted);
	unit_must(test_process_set("CapPrm") == permitted);
	unit_must(test_process_set("CapBnd") == bounds);
	unit_must(test_process_set("CapInh") == 0);
	unit_must(test_process_set("CapAmb") == 0);
}

/* A process that runs this cannot regain its privileges. */
static void
must_be_for_good(void)
{
	unit_must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	unit_must(setresuid(0, 0, 0) == -1 && errno == EPERM);
	unit_must(setresgid(0, 0, 0) == -1 && errno == EPERM);
	unit_must(setgroups(0, NULL) == -1 && errno == EPERM);
}

/* An ordinary user with capabilities, ambient ones too. */
static void
become_user_with(uint64_t set)
{
	unit_must(setgroups(0, NULL) == 0);
	unit_must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	unit_must(setresgid(TEST_PROCESS_GID, TEST_PROCESS_GID,
		      TEST_PROCESS_GID) == 0);
	unit_must(setresuid(TEST_PROCESS_UID, TEST_PROCESS_UID,
		      TEST_PROCESS_UID) == 0);
	test_process_capabilities(set);
	for (unsigned long c = 0; c < 64; c++)
		if ((set & BIT(c)) != 0)
			unit_must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c,
				      0, 0) == 0);
	unit_must(test_process_set("CapAmb") == set);
}

static void
root_body(void *argument)
{
	static const gid_t groups[] = {TEST_PROCESS_GID, TEST_PROCESS_GID + 1};
	const int no_root = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;

	(void)argument;
	unit_must(setgroups(UNIT_COUNT(groups), groups) == 0);
	unit_must(privilege_reduce() == 0);
	must_have(six, six);
	unit_must(strcmp(test_process_status("Uid"), "0\t0\t0\t0") == 0);
	unit_must(strcmp(test_process_status("Groups"), "") == 0);
	unit_must(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	unit_must((prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & no_root) == no_root);
}

START_TEST(root_keeps_six_capabilities_and_no_group)
{
	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(root_body, NULL);
}
END_TEST

static void
drop_body(void *argument)
{
	const gid_t other = TEST_PROCESS_GID + 1;
	static const char ids[] = "60583\t60583\t60583\t60583";
	static const char groups[] = "60584\t60584\t60584\t60584";

	unit_must(setgroups(1, &other) == 0);
	if (argument != NULL)
		unit_must(privilege_reduce() == 0);
	unit_must(privilege_drop(TEST_PROCESS_UID, TEST_PROCESS_GID) == 0);
	must_have(0, 0);
	unit_must(strcmp(test_process_status("Uid"), ids) == 0);
	unit_must(strcmp(test_process_status("Gid"), groups) == 0);
	unit_must(strcmp(test_process_status("Groups"), "") == 0);
	unit_must(setresuid(0, 0, 0) == -1 && errno == EPERM);
	if (argument != NULL)
		must_be_for_good();
}

START_TEST(a_child_keeps_nothing_whatever_its_monitor_had)
{
	static char reduced;

	if (test_process_not_root() != NULL) {
		unit_skip(test_process_not_root());
		return;
	}
	unit_in_child(drop_body, NULL);
	unit_in_child(drop_body, &reduced);
}
END_TEST

/* Without capabilities root is an ordinary user here, so both can run this. */
static void
user_body(void *argument)
{
	uint64_t bounds = test_process_set("CapBnd"), binds;

	(void)argument;
	if (geteuid() == 0)
		become_user_with(0);
	binds = test_process_set("CapPrm") & BIT(CAP_NET_BIND_SERVICE);
	unit_must(privilege_reduce() == 0);
	must_have(binds, bounds);
	must_be_for_good();
	unit_must(privilege_drop(0, 0) == 0);
	must_have(0, bounds);
	must_be_for_good();
	unit_must(geteuid() != 0);
}

START_TEST(an_ordinary_user_has_nothing)
{
	if (geteuid() == 0 && test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(user_body, NULL);
}
END_TEST

static void
binder_body(void *argument)
{
	uint64_t bounds = test_process_set("CapBnd");

	(void)argument;
	become_user_with(six);
	unit_must(privilege_reduce() == 0);
	must_have(BIT(CAP_NET_BIND_SERVICE), bounds);
	must_be_for_good();
	unit_must(privilege_drop(TEST_PROCESS_UID, TEST_PROCESS_GID) == 0);
	must_have(0, bounds);
}

START_TEST(a_user_who_may_bind_keeps_that_and_its_child_nothing)
{
	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(binder_body, NULL);
}
END_TEST

static void
must_carry(uint64_t permitted, uint64_t carried)
{
	unit_must(test_process_set("CapEff") == permitted);
	unit_must(test_process_set("CapPrm") == permitted);
	unit_must(test_process_set("CapInh") == carried);
	unit_must(test_process_set("CapAmb") == carried);
}

/* A child does not keep the carried capabilities, nor does a new monitor. */
static void
carry_body(void *argument)
{
	uint64_t set = six;

	if (argument != NULL)
		become_user_with(set = BIT(CAP_NET_BIND_SERVICE));
	unit_must(privilege_reduce() == 0);
	must_carry(set, 0);
	unit_must(privilege_keep_over_exec(0) == 0);
	must_carry(set, 0);
	for (int i = 0; i < 2; i++) {
		unit_must(privilege_keep_over_exec(1) == 0);
		must_carry(set, set);
		unit_must(privilege_keep_over_exec(0) == 0);
		must_carry(set, 0);
	}
	unit_must(privilege_keep_over_exec(1) == 0);
	unit_must(privilege_reduce() == 0);
	must_carry(set, 0);
	unit_must(privilege_keep_over_exec(1) == 0);
	unit_must(privilege_drop(TEST_PROCESS_UID, TEST_PROCESS_GID) == 0);
	must_carry(0, 0);
}

START_TEST(what_is_left_outlasts_exec_only_while_it_is_to)
{
	static char user;

	if (test_process_not_root() != NULL) {
		unit_skip(test_process_not_root());
		return;
	}
	unit_in_child(carry_body, NULL);
	unit_in_child(carry_body, &user);
}
END_TEST

static void
nothing_body(void *argument)
{
	(void)argument;
	if (geteuid() == 0)
		become_user_with(0);
	unit_must(privilege_reduce() == 0);
	if (test_process_set("CapPrm") != 0)
		return; /* this user may bind */
	unit_must(privilege_keep_over_exec(1) == 0);
	must_carry(0, 0);
	unit_must(privilege_keep_over_exec(0) == 0);
	must_carry(0, 0);
}

START_TEST(who_has_nothing_carries_nothing)
{
	if (geteuid() == 0 && test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(nothing_body, NULL);
}
END_TEST

/* A real exec of this program, which reports its capabilities. */
static void
exec_body(void *argument)
{
	char *argv[] = {argument, NULL};
	char *environment[] = {NULL};

	unit_must(privilege_reduce() == 0);
	if (argument != NULL && ((char *)argument)[0] == 'c')
		unit_must(privilege_keep_over_exec(1) == 0);
	execve("/proc/self/exe", argv, environment);
	unit_must(0);
}

START_TEST(a_program_has_what_was_carried_and_no_more)
{
	static char names[2][16] = {"carried", "dropped"};

	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(exec_body, names[_i]);
}
END_TEST

static int
make_file(const char *name)
{
	return mknod(name, S_IFREG | 0600, 0);
}

/* The directory is accessible to TEST_PROCESS_UID alone. */
static void
files_body(void *argument)
{
	struct stat st;

	unit_must(chdir(argument) == 0);
	unit_must(privilege_reduce() == 0);
	unit_must(make_file("a") == -1 && errno == EACCES);
	privilege_set_fsuid(TEST_PROCESS_UID);
	unit_must(make_file("b") == 0);
	unit_must(stat("b", &st) == 0 && st.st_uid == TEST_PROCESS_UID);
	unit_must(make_file("group/b") == -1 && errno == EACCES);
	privilege_set_fsuid(0);
	unit_must(make_file("c") == -1 && errno == EACCES);
	unit_must(make_file("group/c") == 0);
	unit_must(stat("group/c", &st) == 0 && st.st_uid == 0);
	unit_must(st.st_gid == 0);
	must_have(six, six);
}

START_TEST(files_are_made_as_another_user_until_that_ends)
{
	const char *path;

	if (test_process_not_root() != NULL) {
		unit_skip(test_process_not_root());
		return;
	}
	path = unit_directory("home", 0711);
	unit_directory("home/group", 0770); /* of root and its group */
	ck_assert_int_eq(chown(path, TEST_PROCESS_UID, TEST_PROCESS_GID), 0);
	unit_in_child(files_body, (void *)(uintptr_t)path);
}
END_TEST

static void
user_files_body(void *argument)
{
	uid_t uid;

	(void)argument;
	if (geteuid() == 0)
		become_user_with(0);
	uid = geteuid();
	privilege_set_fsuid(0);
	unit_must((uid_t)setfsuid((uid_t)-1) == uid);
	privilege_set_fsuid(TEST_PROCESS_UID + 1);
	unit_must((uid_t)setfsuid((uid_t)-1) == uid);
}

START_TEST(an_ordinary_user_makes_files_as_itself)
{
	if (geteuid() == 0 && test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(user_files_body, NULL);
}
END_TEST

static int
carry_main(int argc, char **argv)
{
	(void)argc;
	if (strcmp(argv[0], "carried") == 0)
		return test_process_set("CapPrm") != six ||
		    test_process_set("CapEff") != six ||
		    test_process_set("CapBnd") != six;
	if (strcmp(argv[0], "dropped") == 0)
		return test_process_set("CapPrm") != 0 ||
		    test_process_set("CapEff") != 0;
	return UNIT_NO_CHILD;
}

UNIT_CHILD(carry_main)

UNIT_SUITE(privilege)
{
	TCase *tc = unit_case(suite, "ladder");
	tcase_add_test(tc, root_keeps_six_capabilities_and_no_group);
	tcase_add_test(tc, a_child_keeps_nothing_whatever_its_monitor_had);
	tcase_add_test(tc, an_ordinary_user_has_nothing);
	tcase_add_test(
	    tc, a_user_who_may_bind_keeps_that_and_its_child_nothing);
	tc = unit_case(suite, "carry");
	tcase_add_test(tc, what_is_left_outlasts_exec_only_while_it_is_to);
	tcase_add_test(tc, who_has_nothing_carries_nothing);
	tcase_add_loop_test(
	    tc, a_program_has_what_was_carried_and_no_more, 0, 2);
	tc = unit_case(suite, "files");
	tcase_add_test(tc, files_are_made_as_another_user_until_that_ends);
	tcase_add_test(tc, an_ordinary_user_makes_files_as_itself);
}
