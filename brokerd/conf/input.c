/* SPDX-License-Identifier: ISC */
/*
 * The configuration, which the monitor opens, as only root may be able to read
 * it.  If that fails, the config reader tries it too, mostly in order to report
 * the reason.
 */
#include "conf/input.h"

#include "base/fd.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fcntl.h>
#include <unistd.h>

/* null(4) */
static int
input_is_null(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == -1 ||
	    (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

int
input_open(const char *file)
{
	int fd, result;

	if (!input_is_null())
		return 0;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	result = fd == -1 ? -1 : fd_place(fd, STDIN_FILENO);
	if (fd != STDIN_FILENO)
		fd_close(fd);
	return result;
}
