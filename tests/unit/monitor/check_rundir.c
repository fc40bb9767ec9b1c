/* SPDX-License-Identifier: ISC */
/*
 * The run directory: it is made, locked, trusted only if no other user may
 * write to it, and removed if it is private.  The lock ends with the process
 * that holds it, so it is taken in a child.
 */
#include "fixture/monitor_rights.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "config.h"
#include "monitor/rundir.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static char text[LOG_LINE_MAX + 1];

/* Opens a run directory; its log goes to text. */
static int
open_rundir(
    struct rundir *rundir, const char *given, int private, int only_name)
{
	struct inherited inherited = {.items = NULL};
	struct log log;
	int ends[2], status;

	unit_must(pipe2(ends, O_CLOEXEC) == 0);
	memset(rundir, 0, sizeof(*rundir));
	log_init(&log, "brokerd", ends[1]);
	status =
	    rundir_open(rundir, given, private, only_name, &inherited, &log);
	fd_close(ends[1]);
	unit_must(net_read_all(ends[0], text, sizeof(text)) == 0);
	fd_close(ends[0]);
	return status;
}

static int
is_own(const char *path, mode_t mode)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_mode == mode &&
	    st.st_uid == geteuid();
}

/* The lock is held, and not inherited. */
static int
is_locked(const char *path)
{
	struct stat st, lock;

	unit_must(lstat(path, &lock) == 0);
	for (int fd = 0; fd < 64; fd++)
		if (fstat(fd, &st) == 0 && st.st_ino == lock.st_ino &&
		    st.st_dev == lock.st_dev)
			return fcntl(fd, F_GETFD) == FD_CLOEXEC;
	return 0;
}

static void
open_new(void *argument)
{
	const mode_t *mask = argument;
	struct rundir rundir;

	umask(*mask);
	unit_must(open_rundir(&rundir, unit_path("run"), 0, 0) == -1);
	unit_must(text[0] == '\0');
	unit_must(strcmp(rundir.path, unit_path("run")) == 0);
	unit_must(is_own(unit_path("run"), S_IFDIR | 0711));
	unit_must(is_own(unit_path("run/mailbox"), S_IFDIR | 0711));
	unit_must(is_own(unit_path("run/lock"), S_IFREG | 0600));
	unit_must(is_locked(unit_path("run/lock")));
	unit_must(fcntl(rundir.fd, F_GETFD) == FD_CLOEXEC);
	unit_must(fcntl(rundir.mailboxes, F_GETFD) == FD_CLOEXEC);
	rundir_done(&rundir);
	unit_must(access(unit_path("run/lock"), F_OK) == 0);
}

static mode_t masks[] = {0, 022, 066};

START_TEST(it_is_made_with_its_modes_and_stays)
{
	unit_in_child(open_new, &masks[_i]);
}
END_TEST

static void
hold(void *argument)
{
	const int *ready = argument;
	struct pollfd reader = {.fd = ready[1]};
	struct rundir rundir;

	unit_must(open_rundir(&rundir, unit_path("run"), 0, 0) == -1);
	unit_must(write(ready[1], "a", 1) == 1);
	fd_close(ready[0]);
	poll(&reader, 1, -1); /* until it is killed or the test ends */
}

/* As after an upgrade: the lock was handed on, and cannot be taken again. */
static void
take_again(void *argument)
{
	struct rundir first, again = {.fd = -1};
	struct inherited inherited = {.items = NULL};
	struct log log;
	int own;

	(void)argument;
	log_init(&log, "brokerd", STDERR_FILENO);
	unit_must(open_rundir(&first, unit_path("run"), 0, 0) == -1);
	own = first.lock;
	inherited_add(&inherited, own, NULL);
	unit_must(rundir_open(
		      &again, unit_path("run"), 0, 0, &inherited, &log) == -1);
	unit_must(again.lock == own);
	inherited_done(&inherited);
	unit_must(is_locked(unit_path("run/lock")));
}

START_TEST(a_lock_that_is_inherited_is_taken)
{
	unit_in_child(take_again, NULL);
}
END_TEST

static void
come_second(void *argument)
{
	char expected[LOG_LINE_MAX];
	struct rundir rundir;

	(void)argument;
	unit_must(open_rundir(&rundir, unit_path("run"), 0, 0) == EX_TEMPFAIL);
	snprintf(expected, sizeof(expected),
	    "brokerd: run directory %s: %s: another brokerd runs there: "
	    "choose another one with -R\n",
	    unit_path("run"), strerror(EWOULDBLOCK));
	unit_must(strcmp(text, expected) == 0);
}

static void
open_well(void *argument)
{
	struct rundir rundir;

	(void)argument;
	unit_must(open_rundir(&rundir, unit_path("run"), 0, 0) == -1);
}

START_TEST(a_second_one_is_refused_until_the_first_has_ended)
{
	int ready[2];
	char byte;
	pid_t holder;

	unit_path("run"); /* the children have the uid of the test */
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	holder = unit_fork(hold, ready);
	fd_close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	unit_in_child(come_second, NULL);
	unit_reap(holder, 1);
	unit_in_child(open_well, NULL);
	fd_close(ready[0]);
}
END_TEST

static const struct {
	const char *path; /* relative to the test's directory, or unchanged */
	mode_t mode;      /* of the existing directory "d" */
	int status;       /* -1: good */
} givens[] = {
    {"d", 0700, -1},
    {"d", 0711, -1},
    {"d", 0755, -1},
    {"d", 0731, EX_NOPERM},
    {"d", 0713, EX_NOPERM},
    {"d", 01777, EX_NOPERM},
    {"open", 0711, EX_NOPERM},       /* mailbox/ in it has mode 0777 */
    {"file", 0711, EX_OSERR},        /* not a directory */
    {"link", 0711, EX_OSERR},        /* to "d" */
    {"linked-box", 0711, EX_OSERR},  /* mailbox is a link to "d" */
    {"filed-box", 0711, EX_OSERR},   /* mailbox is a file */
    {"linked-lock", 0711, EX_OSERR}, /* lock is a link to "file" */
    {"nothing/d", 0711, EX_OSERR},
};

static void
open_given(void *argument)
{
	int i = *(const int *)argument;
	const char *path = unit_path(givens[i].path);
	struct rundir rundir;

	unit_must(open_rundir(&rundir, path, 0, 0) == givens[i].status);
	unit_must((text[0] == '\0') == (givens[i].status == -1));
	unit_must(givens[i].status == -1 ||
	    (strstr(text, path) != NULL &&
		strstr(text, "that nobody else can write to") != NULL));
	unit_must(is_own(unit_path("d"), S_IFDIR | givens[i].mode));
}

START_TEST(what_is_there_is_trusted_only_if_nobody_else_may_write_to_it)
{
	unit_directory("d", givens[_i].mode);
	unit_directory("open", 0711);
	unit_directory("open/mailbox", 0777);
	unit_directory("linked-box", 0711);
	unit_directory("linked-lock", 0711);
	unit_directory("filed-box", 0711);
	fd_close(open(unit_path("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ck_assert_int_eq(
	    link(unit_path("file"), unit_path("filed-box/mailbox")), 0);
	ck_assert_int_eq(symlink("d", unit_path("link")), 0);
	ck_assert_int_eq(symlink("../d", unit_path("linked-box/mailbox")), 0);
	ck_assert_int_eq(symlink("../file", unit_path("linked-lock/lock")), 0);
	unit_in_child(open_given, &_i);
}
END_TEST

/* Its contents are valid, but its owner changes. */
static void
open_foreign(void *argument)
{
	struct rundir rundir;

	(void)argument;
	unit_must(chmod(unit_path("run"), 0755) == 0);
	unit_must(chown(unit_path("run"), MONITOR_RIGHTS_USER, 0) == 0);
	unit_must(open_rundir(&rundir, unit_path("run"), 0, 0) == EX_NOPERM);
}

START_TEST(another_users_directory_is_refused)
{
	if (!monitor_rights_is_root())
		return;
	unit_in_child(open_well, NULL);
	unit_in_child(open_foreign, NULL);
}
END_TEST

START_TEST(a_path_that_cannot_be_one_is_a_mistake_of_usage)
{
	char longest[RECORD_PATH_SIZE + 1] = "";
	const char *const wrong[] = {"", "run", "./run", longest};
	struct rundir rundir;

	memset(longest, '/', sizeof(longest) - 1);
	for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
		ck_assert_int_eq(
		    open_rundir(&rundir, wrong[i], 0, 0), EX_USAGE);
		ck_assert_ptr_nonnull(
		    strstr(text, "-R an absolute path of at most 94 bytes"));
	}
	longest[sizeof(longest) - 2] = '\0';
	ck_assert_int_eq(open_rundir(&rundir, longest, 0, 1), -1);
}
END_TEST

START_TEST(only_its_name_makes_nothing)
{
	struct rundir rundir;

	ck_assert_int_eq(open_rundir(&rundir, unit_path("run"), 0, 1), -1);
	ck_assert_str_eq(rundir.path, unit_path("run"));
	ck_assert_int_eq(access(unit_path("run"), F_OK), -1);
	ck_assert_int_eq(open_rundir(&rundir, NULL, 0, 1), -1);
	ck_assert_str_eq(rundir.path, DEFAULT_RUN_DIR);
}
END_TEST

static void
open_private(void *argument)
{
	struct rundir rundir, other, given;

	(void)argument;
	unit_must(open_rundir(&rundir, NULL, 1, 0) == -1);
	unit_must(open_rundir(&other, NULL, 1, 0) == -1);
	unit_must(strcmp(rundir.path, other.path) != 0);
	unit_must(strncmp(rundir.path, "/tmp/brokerd-", 13) == 0);
	unit_must(is_own(rundir.path, S_IFDIR | 0711));
	rundir_done(&rundir);
	unit_must(access(rundir.path, F_OK) == -1 && errno == ENOENT);
	unit_must(access(other.path, F_OK) == 0);
	rundir_done(&other);
	unit_must(access(other.path, F_OK) == -1 && errno == ENOENT);
	/* A directory that was named is not private. */
	unit_must(open_rundir(&given, unit_path("run"), 1, 0) == -1);
	rundir_done(&given);
	unit_must(access(unit_path("run/mailbox"), F_OK) == 0);
}

START_TEST(a_private_one_is_removed_at_the_end)
{
	unit_in_child(open_private, NULL);
}
END_TEST

UNIT_SUITE(rundir)
{
	TCase *tc = monitor_rights_case(suite, "rundir");

	tcase_add_test(tc, a_lock_that_is_inherited_is_taken);
	tcase_add_loop_test(
	    tc, it_is_made_with_its_modes_and_stays, 0, (int)UNIT_COUNT(masks));
	tcase_add_test(tc, a_second_one_is_refused_until_the_first_has_ended);
	tcase_add_loop_test(tc,
	    what_is_there_is_trusted_only_if_nobody_else_may_write_to_it, 0,
	    (int)UNIT_COUNT(givens));
	tcase_add_test(tc, another_users_directory_is_refused);
	tcase_add_test(tc, a_path_that_cannot_be_one_is_a_mistake_of_usage);
	tcase_add_test(tc, only_its_name_makes_nothing);
	tcase_add_test(tc, a_private_one_is_removed_at_the_end);
}
