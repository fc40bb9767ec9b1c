/* SPDX-License-Identifier: ISC */
/*
 * The mailbox directories, which the monitor makes and repairs when it starts:
 * they belong to the listener's owner and the engine's group.
 */
#include "fixture/monitor_rights.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/privilege.h"
#include "monitor/rundir.h"

#include <sys/fsuid.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MODE (S_IFDIR | 02750)

/* For an ordinary user, owner and group are its own. */
static uint32_t
owner(void)
{
	return geteuid() == 0 ? MONITOR_RIGHTS_USER : geteuid();
}

static uint32_t
group(void)
{
	return geteuid() == 0 ? MONITOR_RIGHTS_GROUP : getegid();
}

/* Makes mailbox/www/ and asserts that it is right, whatever it was before. */
static struct stat
make_mailbox(void)
{
	struct rundir rundir = {.mailboxes = open(unit_path("mailbox"),
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct stat st;

	ck_assert_int_ne(rundir.mailboxes, -1);
	ck_assert_int_eq(
	    rundir_make_mailbox(&rundir, "www", owner(), group()), 0);
	fd_close(rundir.mailboxes);
	ck_assert_int_eq(lstat(unit_path("mailbox/www"), &st), 0);
	ck_assert_uint_eq(st.st_mode, MODE);
	ck_assert_uint_eq(st.st_uid, owner());
	ck_assert_uint_eq(st.st_gid, group());
	return st;
}

static const mode_t masks[] = {0, 022, 077};

START_TEST(it_belongs_to_the_owner_and_the_engine_may_look)
{
	unit_directory("mailbox", 0711);
	umask(masks[_i]);
	make_mailbox();
}
END_TEST

static const mode_t spoiled[] = {0777, 0700, 0000, 02770, 02750};

START_TEST(one_that_was_spoiled_is_mended_and_keeps_what_is_in_it)
{
	struct stat before, after;

	unit_directory("mailbox", 0711);
	before = make_mailbox();
	/* Its owner may have changed it; the rights of root do not help
	 * here. */
	setfsuid(owner());
	fd_close(open(unit_path("mailbox/www/worker"),
	    O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	ck_assert_int_eq(chmod(unit_path("mailbox/www"), spoiled[_i]), 0);
	setfsuid(geteuid());
	after = make_mailbox();
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	setfsuid(owner());
	ck_assert_int_eq(lstat(unit_path("mailbox/www/worker"), &after), 0);
	setfsuid(geteuid());
}
END_TEST

static const struct {
	uint32_t uid, gid;
} others[] = {{0, 0}, {MONITOR_RIGHTS_GROUP, MONITOR_RIGHTS_GROUP},
    {MONITOR_RIGHTS_USER, MONITOR_RIGHTS_USER}, {0, MONITOR_RIGHTS_GROUP}};

START_TEST(one_of_another_owner_or_group_changes_hands)
{
	if (!monitor_rights_is_root())
		return;
	unit_directory("mailbox", 0711);
	unit_directory("mailbox/www", 02750);
	ck_assert_int_eq(
	    chown(unit_path("mailbox/www"), others[_i].uid, others[_i].gid), 0);
	make_mailbox();
}
END_TEST

START_TEST(what_cannot_be_made_or_given_away_is_an_error)
{
	struct rundir rundir;

	if (geteuid() != 0) {
		unit_directory("mailbox", 0711);
	} else {
		monitor_rights_directory("mailbox", 0711);
		ck_assert_int_eq(
		    privilege_drop(MONITOR_RIGHTS_USER, MONITOR_RIGHTS_GROUP),
		    0);
	}
	rundir.mailboxes =
	    open(unit_path("mailbox"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(
	    rundir_make_mailbox(&rundir, "nothing/www", geteuid(), getegid()),
	    -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(rundir_make_mailbox(&rundir, "www", 0, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	fd_close(rundir.mailboxes);
}
END_TEST

UNIT_SUITE(rundir_mailbox)
{
	TCase *tc = monitor_rights_case(suite, "rundir-mailbox");

	tcase_add_loop_test(tc, it_belongs_to_the_owner_and_the_engine_may_look,
	    0, (int)UNIT_COUNT(masks));
	tcase_add_loop_test(tc,
	    one_that_was_spoiled_is_mended_and_keeps_what_is_in_it, 0,
	    (int)UNIT_COUNT(spoiled));
	tcase_add_loop_test(tc, one_of_another_owner_or_group_changes_hands, 0,
	    (int)UNIT_COUNT(others));
	tcase_add_test(tc, what_cannot_be_made_or_given_away_is_an_error);
}
