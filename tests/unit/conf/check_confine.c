/* SPDX-License-Identifier: ISC */
/*
 * The config reader can read files, and nothing else of what Landlock covers.
 */
#include "fixture/landlock_outside.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/confine.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void
confine_in_child(void *argument)
{
	int fd;

	if (geteuid() == 0)
		unit_must(setresgid(60592, 60592, 60592) == 0 &&
		    setresuid(60592, 60592, 60592) == 0);
	unit_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	unit_must(confine_enter(NULL) == 0);
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	unit_must(fd != -1);
	fd_close(fd);
	landlock_outside_must_not_open("/dev/null", O_WRONLY);
	unit_must(mkdir("/tmp/confined", 0700) == -1 && errno == EACCES);
	landlock_outside_must_be_closed(argument, 1);
}

START_TEST(the_config_reader_can_read_and_not_write)
{
	struct landlock_outside outside;

#ifdef __SANITIZE_ADDRESS__
	unit_skip("builds with sanitizers confine nothing");
	return;
#endif
	if (landlock_outside_open(&outside, __func__))
		unit_in_child(confine_in_child, &outside);
	landlock_outside_close(&outside);
}
END_TEST

UNIT_SUITE(confine)
{
	TCase *tc = unit_case(suite, "confine");

	tcase_add_test(tc, the_config_reader_can_read_and_not_write);
}
