/* SPDX-License-Identifier: ISC */
/*
 * Rules of Landlock: what they allow works, all else does not.
 */
#include "fixture/landlock_outside.h"
#include "fixture/unit.h"

#include "base/fd.h"

#include <sys/prctl.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
rules_in_child(void *argument)
{
	const struct landlock_outside *outside = argument;
	const char *inside = unit_directory("inside", 0755);
	int directory = open(inside, O_PATH | O_CLOEXEC);
	struct landlock landlock;
	DIR *listed;

	unit_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	unit_must(landlock_begin(&landlock,
		      LANDLOCK_TCP_BIND | LANDLOCK_TCP_CONNECT) == 0);
	unit_must(landlock_allow(&landlock, directory, LANDLOCK_READ_DIR) == 0);
	unit_must(landlock_enter(&landlock) == 0);
	unit_must(landlock.rules == -1);

	listed = opendir(inside);
	unit_must(listed != NULL);
	closedir(listed);
	landlock_outside_must_not_open("/", O_RDONLY);
	landlock_outside_must_not_open("/proc/self/status", O_RDONLY);
	landlock_outside_must_not_open("/proc/self/comm", O_WRONLY);
	landlock_outside_must_not_open(
	    unit_path("inside/made"), O_WRONLY | O_CREAT);
	landlock_outside_must_be_closed(outside, 0);
	landlock_outside_must_not_signal(outside);
}

START_TEST(only_what_rules_allow_is_left)
{
	struct landlock_outside outside;

	if (landlock_outside_open(&outside, __func__))
		unit_in_child(rules_in_child, &outside);
	landlock_outside_close(&outside);
}
END_TEST

UNIT_SUITE(landlock)
{
	TCase *tc = unit_case(suite, "landlock");

	tcase_add_test(tc, only_what_rules_allow_is_left);
}
