/* SPDX-License-Identifier: ISC */
/*
 * The fixture of all unit tests.  Check runs each test in a process of its
 * own, so what is open before and after is the test's own doing.
 */
#include "unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNIT_FDS 4096

static unsigned char unit_before[UNIT_FDS];

static void
unit_list(unsigned char open_now[UNIT_FDS])
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	memset(open_now, 0, UNIT_FDS);
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(dir))
			open_now[fd] = 1;
	}
	closedir(dir);
}

static void
unit_setup(void)
{
	unit_list(unit_before);
}

static void
unit_teardown(void)
{
	unsigned char after[UNIT_FDS];

	unit_list(after);
	for (int fd = 0; fd < UNIT_FDS; fd++)
		ck_assert_msg(after[fd] == unit_before[fd],
		    "descriptor %d was %s by the test", fd,
		    after[fd] ? "left open" : "closed");
}

TCase *
unit_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, unit_setup, unit_teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

int
unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_VERBOSE);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
