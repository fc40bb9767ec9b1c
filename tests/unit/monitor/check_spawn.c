/* SPDX-License-Identifier: ISC */
/*
 * The environment, ids and descriptors of a new child of the monitor.
 */
#include "fixture/test_child.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/spawn.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Opens a descriptor for each bit that is set in the mask; the others are -1.
 * The expected output of the child is in test_child_text. */
static void
give_fds(struct spawn *spawn, unsigned int given)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	test_child_text[0] = '\0';
	for (int i = 0; i < SPAWN_FDS; i++) {
		if (i != 1)
			spawn->fds[i] = -1;
		if (i != 1 && (given & 1U << i) != 0)
			spawn->fds[i] = memfd_create("given", MFD_CLOEXEC);
		if (spawn->fds[i] != -1)
			test_child_append_fd(i, spawn->fds[i]);
		else if (i < 3)
			test_child_append_fd(i, null);
	}
}

static void
fds_body(void *argument)
{
	static char expected[sizeof(test_child_text)];
	struct test_child child;

	test_process_descriptors();
	test_child_init(&child, "fds", "0");
	give_fds(&child.spawn, *(unsigned int *)argument);
	memcpy(expected, test_child_text, sizeof(test_child_text));
	unit_must(test_child_run(&child) == 0);
	if (strcmp(test_child_text, expected) != 0)
		fprintf(stderr, "not\n%sbut\n%s", expected, test_child_text);
	unit_must(strcmp(test_child_text, expected) == 0);
}

START_TEST(a_child_has_only_the_descriptors_it_was_given)
{
	unsigned int given = (unsigned int)_i;

	if (test_process_is_for_all())
		unit_in_child(fds_body, &given);
}
END_TEST

/* The part of the environment that a child gets. */
static const struct {
	const char *variables[6]; /* of the monitor */
	const char *expected;
} environments[] = {
    {{NULL}, ""},
    {{"LD_DEBUG=all", "EVENT_NOEPOLL=1"}, ""},
    {{"LD_DEBUG=all", "JOURNAL_STREAM=8:1234", "EVENT_NOEPOLL=1"},
	"JOURNAL_STREAM=8:1234\n"},
    {{"NOTIFY_SOCKET=/run/a b/notify", "NOTIFY_SOCKETS=1",
	 "NOTIFY_SOCKE=", "XNOTIFY_SOCKET=1"},
	"NOTIFY_SOCKET=/run/a b/notify\n"},
    {{"A=", "NOTIFY_SOCKET=@a", "JOURNAL_STREAM_=", "B=", "JOURNAL_STREAM="},
	"NOTIFY_SOCKET=@a\nJOURNAL_STREAM=\n"},
};

static void
environment_body(void *argument)
{
	int i = *(int *)argument;
	const char *mine[UNIT_COUNT(environments[0].variables)];
	struct test_child child;

	test_process_descriptors();
	test_child_init(&child, "environment", "0");
	memcpy(mine, environments[i].variables, sizeof(mine));
	environ = (char **)(uintptr_t)mine;
	unit_must(test_child_run(&child) == 0);
	unit_must(strcmp(test_child_text, environments[i].expected) == 0);
	unit_must(memcmp(mine, environments[i].variables, sizeof(mine)) == 0);
}

START_TEST(a_child_has_only_what_it_needs_of_the_environment)
{
	if (test_process_is_for_all())
		unit_in_child(environment_body, &_i);
}
END_TEST

static void
ids_body(void *argument)
{
	char expected[512], uid[64], gid[64], bounds[64];
	struct test_child child;

	(void)argument;
	test_process_descriptors();
	snprintf(uid, sizeof(uid), "%s", test_process_status("Uid"));
	snprintf(gid, sizeof(gid), "%s", test_process_status("Gid"));
	snprintf(bounds, sizeof(bounds), "%s", test_process_status("CapBnd"));
	if (geteuid() == 0) {
		snprintf(uid, sizeof(uid), "%d\t%d\t%d\t%d", TEST_PROCESS_UID,
		    TEST_PROCESS_UID, TEST_PROCESS_UID, TEST_PROCESS_UID);
		snprintf(gid, sizeof(gid), "%d\t%d\t%d\t%d", TEST_PROCESS_GID,
		    TEST_PROCESS_GID, TEST_PROCESS_GID, TEST_PROCESS_GID);
		snprintf(bounds, sizeof(bounds), "%016x", 0);
	}
	snprintf(expected, sizeof(expected),
	    "Uid\t%s\nGid\t%s\nGroups\t%s\nCapInh\t%016x\nCapPrm\t%016x\n"
	    "CapEff\t%016x\nCapBnd\t%s\nCapAmb\t%016x\n",
	    uid, gid, geteuid() == 0 ? "" : test_process_status("Groups"), 0, 0,
	    0, bounds, 0);
	test_child_init(&child, "ids", "0");
	unit_must(test_child_run(&child) == 0);
	if (strcmp(test_child_text, expected) != 0)
		fprintf(stderr, "not\n%sbut\n%s", expected, test_child_text);
	unit_must(strcmp(test_child_text, expected) == 0);
}

START_TEST(a_child_of_an_ordinary_user_keeps_its_ids)
{
	if (geteuid() == 0)
		unit_skip("root has other ids to give");
	else
		unit_in_child(ids_body, NULL);
}
END_TEST

START_TEST(a_child_of_root_is_the_user_it_was_to_be)
{
	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else if (test_process_is_for_all())
		unit_in_child(ids_body, NULL);
}
END_TEST

static const struct {
	mode_t mode;
	int status;
	const char *reason;
} programs[] = {
    {0644, EX_NOPERM, "Permission denied"},
    {0755, EX_OSERR, "Exec format error"},
};

static void
program_body(void *argument)
{
	int i = *(int *)argument;
	int file = memfd_create("program", MFD_CLOEXEC);
	struct test_child child;
	char reason[128];

	unit_must(fchmod(file, programs[i].mode) == 0);
	test_child_init(&child, "exit", "0");
	child.spawn.program = file;
	unit_must(test_child_run(&child) == programs[i].status);
	snprintf(reason, sizeof(reason),
	    "test: cannot start child (for root as uid %u): %s\n",
	    child.spawn.uid, programs[i].reason);
	unit_must(strcmp(test_child_text, reason) == 0);
}

START_TEST(a_child_that_cannot_begin_says_why)
{
	unit_in_child(program_body, &_i);
}
END_TEST

static void
left_body(void *argument)
{
	struct test_child child;

	(void)argument;
	test_child_init(&child, "exit", "0");
	child.spawn.uid = UINT32_MAX; /* "unchanged" for setresuid(2) */
	unit_must(test_child_run(&child) == EX_NOPERM);
	child.spawn.uid = 0;
	unit_must(test_child_run(&child) == EX_NOPERM);
	child.spawn.uid = TEST_PROCESS_UID;
	child.spawn.gid = UINT32_MAX;
	unit_must(test_child_run(&child) == EX_NOPERM);
	child.spawn.gid = 0;
	unit_must(test_child_run(&child) == EX_NOPERM);
}

START_TEST(a_child_of_root_is_never_left_as_root)
{
	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(left_body, NULL);
}
END_TEST

static void
session_body(void *argument)
{
	struct test_child child;

	(void)argument;
	test_process_descriptors();
	test_child_init(&child, "session", "5");
	unit_must(test_child_run(&child) == 5);
}

START_TEST(a_child_has_a_session_of_its_own_and_so_no_terminal)
{
	if (test_process_is_for_all())
		unit_in_child(session_body, NULL);
}
END_TEST

UNIT_CHILD(test_child_child)

UNIT_SUITE(spawn)
{
	TCase *tc = unit_case(suite, "begin");
	tcase_add_loop_test(tc, a_child_has_only_the_descriptors_it_was_given,
	    0, 1 << SPAWN_FDS);
	tcase_add_loop_test(tc,
	    a_child_has_only_what_it_needs_of_the_environment, 0,
	    UNIT_COUNT(environments));
	tcase_add_test(tc, a_child_of_an_ordinary_user_keeps_its_ids);
	tcase_add_test(tc, a_child_has_a_session_of_its_own_and_so_no_terminal);
	tcase_add_test(tc, a_child_of_root_is_the_user_it_was_to_be);
	tcase_add_test(tc, a_child_of_root_is_never_left_as_root);
	tcase_add_loop_test(
	    tc, a_child_that_cannot_begin_says_why, 0, UNIT_COUNT(programs));
}
