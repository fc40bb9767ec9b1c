/* SPDX-License-Identifier: ISC */
/*
 * The configuration, which the monitor opens, as only root may be able to read
 * it.  If that fails, the config reader tries it too, mostly in order to report
 * the reason.
 */
#include "conf/input.h"

#include "base/fd.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

int
input_open(const char *file)
{
	struct stat st;
	int fd, result;

	if (fstat(STDIN_FILENO, &st) == 0 && !S_ISCHR(st.st_mode))
		return 0;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	result = fd == -1 ? -1 : fd_place(fd, STDIN_FILENO);
	if (fd != STDIN_FILENO)
		fd_close(fd);
	return result;
}
