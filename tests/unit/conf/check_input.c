/* SPDX-License-Identifier: ISC */
/*
 * The configuration that the monitor could not open.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/input.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void
give(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	unit_must(fd_place(fd, STDIN_FILENO) == 0);
	fd_close(fd);
}

static int
is_file(const char *path)
{
	struct stat given, st;

	return fstat(STDIN_FILENO, &given) == 0 && stat(path, &st) == 0 &&
	    given.st_ino == st.st_ino && given.st_dev == st.st_dev;
}

static void
given_body(void *argument)
{
	(void)argument;
	give(unit_path("given"));
	unit_must(input_open(unit_path("absent")) == 0);
	unit_must(is_file(unit_path("given")));
}

static void
device_body(void *argument)
{
	(void)argument;
	give("/dev/null");
	errno = 0;
	unit_must(input_open(unit_path("absent")) == -1 && errno == ENOENT);
	unit_must(mknod(unit_path("absent"), S_IFREG | 0600, 0) == 0);
	unit_must(input_open(unit_path("absent")) == 0);
	unit_must(is_file(unit_path("absent")));
}

START_TEST(a_file_from_the_monitor_is_read)
{
	unit_in_child(given_body, NULL);
}
END_TEST

START_TEST(what_the_monitor_could_not_open_is_opened)
{
	unit_in_child(device_body, NULL);
}
END_TEST

UNIT_SUITE(input)
{
	TCase *tc = unit_case(suite, "input");

	tcase_add_test(tc, a_file_from_the_monitor_is_read);
	tcase_add_test(tc, what_the_monitor_could_not_open_is_opened);
}
