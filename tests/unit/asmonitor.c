/* SPDX-License-Identifier: ISC */
/*
 * The fixture of tests that need what a monitor has and no more.  Check runs
 * each test in a process of its own, so that nothing has to be given back.
 */
#include "asmonitor.h"

#include "unit.h"

#include "monitor/privilege.h"

#include <sys/prctl.h>

#include <unistd.h>

static void
asmonitor_setup(void)
{
	ck_assert_int_eq(privilege_reduce(), 0);
}

/* A process that has been another user may not be traced any more, which a
 * leak check at its end needs. */
static void
asmonitor_teardown(void)
{
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}

TCase *
asmonitor_case(Suite *suite, const char *name)
{
	TCase *tc = unit_case(suite, name);

	tcase_add_checked_fixture(tc, asmonitor_setup, asmonitor_teardown);
	return tc;
}

int
asmonitor_is_root_for(const char *test)
{
	if (geteuid() == 0)
		return 1;
	unit_skipped(test, "needs root, for a second user");
	return 0;
}

const char *
asmonitor_directory(const char *name, mode_t mode)
{
	const char *path = unit_directory(name, mode);

	ck_assert_int_eq(chown(path, ASMONITOR_USER, ASMONITOR_GROUP), 0);
	return path;
}
