/* SPDX-License-Identifier: ISC */
/*
 * A step of the privilege ladder that fails is never skipped: the process has
 * to exit.
 */
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "monitor/privilege.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* From here on this prctl(2) fails. */
static void
forbid(unsigned int option)
{
	struct sock_filter filter[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, option, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
	    .len = UNIT_COUNT(filter), .filter = filter};

	unit_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	unit_must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* The capabilities that root loses before the attempt; 64: it keeps its
 * bounding set. */
static const unsigned int missing_to_reduce[] = {
    CAP_SETPCAP, CAP_SETGID, CAP_CHOWN, 64};
static const unsigned int missing_to_drop[] = {CAP_SETUID, CAP_SETGID, 64};

static void
take(unsigned int what)
{
	if (what == 64)
		forbid(PR_CAPBSET_DROP);
	else
		test_process_capabilities(
		    test_process_set("CapPrm") & ~(UINT64_C(1) << what));
	errno = 0;
}

static void
expect_missing(const char *expected)
{
	char text[256] = "";
	int fd = memfd_create("log", 0);
	struct log log;

	log_init(&log, "brokerd", fd);
	privilege_missing(&log);
	unit_must(pread(fd, text, sizeof(text) - 1, 0) != -1);
	unit_must(strcmp(text, expected) == 0);
	close(fd);
}

static void
reduce_body(void *argument)
{
	char expected[128] = "";
	unsigned int what = *(const unsigned int *)argument;

	if (what != 64)
		snprintf(expected, sizeof(expected),
		    "brokerd: root lacks cap_%s\n",
		    what == CAP_SETPCAP    ? "setpcap" :
			what == CAP_SETGID ? "setgid" :
					     "chown");
	take(what);
	unit_must(privilege_reduce() == -1);
	unit_must(errno == EPERM);
	expect_missing(expected);
}

static void
several_body(void *argument)
{
	(void)argument;
	test_process_capabilities(test_process_set("CapPrm") &
	    ~(UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_KILL));
	unit_must(privilege_reduce() == -1);
	expect_missing("brokerd: root lacks cap_setuid\n"
		       "brokerd: root lacks cap_kill\n");
}

START_TEST(only_what_root_lacks_is_named)
{
	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(several_body, NULL);
}
END_TEST

START_TEST(root_that_cannot_come_down_to_the_six_fails)
{
	unsigned int what = missing_to_reduce[_i];

	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(reduce_body, &what);
}
END_TEST

static void
drop_body(void *argument)
{
	take(*(const unsigned int *)argument);
	unit_must(privilege_drop(TEST_PROCESS_UID, TEST_PROCESS_GID) == -1);
	unit_must(errno == EPERM);
}

START_TEST(a_child_that_cannot_come_down_to_nothing_fails)
{
	unsigned int what = missing_to_drop[_i];

	if (test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(drop_body, &what);
}
END_TEST

static void
ambient_body(void *argument)
{
	(void)argument;
	forbid(PR_CAP_AMBIENT);
	if (geteuid() == 0)
		unit_must(setresuid(TEST_PROCESS_UID, TEST_PROCESS_UID,
			      TEST_PROCESS_UID) == 0);
	unit_must(privilege_reduce() == -1);
	unit_must(errno == EPERM);
}

START_TEST(a_user_whose_ambient_capabilities_stay_fails)
{
	unit_in_child(ambient_body, NULL);
}
END_TEST

UNIT_SUITE(privilege_fail)
{
	TCase *tc = unit_case(suite, "fail");

	tcase_add_loop_test(tc, root_that_cannot_come_down_to_the_six_fails, 0,
	    UNIT_COUNT(missing_to_reduce));
	tcase_add_test(tc, only_what_root_lacks_is_named);
	tcase_add_loop_test(tc, a_child_that_cannot_come_down_to_nothing_fails,
	    0, UNIT_COUNT(missing_to_drop));
	tcase_add_test(tc, a_user_whose_ambient_capabilities_stay_fails);
}
