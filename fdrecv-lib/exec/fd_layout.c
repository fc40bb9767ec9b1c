/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the numbers of descriptors.  The last step before exec.
 */
#include "exec/fd_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
fd_layout_reserve(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd < FD_LAYOUT_FIRST);
	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

/* fcntl(2) and dup2(2) reject a number beyond the limit of descriptors with
 * another errno than EMFILE. */
static int
fd_layout_fail(void)
{
	if (errno == EINVAL || errno == EBADF)
		errno = EMFILE;
	return -1;
}

/* Moves *fd to a free number from lowest up. */
static int
fd_layout_move(int *fd, int command, int lowest)
{
	int moved = fcntl(*fd, command, lowest);

	if (moved == -1)
		return fd_layout_fail();
	close(*fd);
	*fd = moved;
	return 0;
}

int
fd_layout_is_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags != -1 && (flags & FD_CLOEXEC) == 0;
}

int
fd_layout_at(int *fds, size_t count, int first)
{
	int behind = first + (int)count;

	for (size_t i = 0; i < count; i++)
		if (fds[i] < behind &&
		    fd_layout_move(&fds[i], F_DUPFD_CLOEXEC, behind) == -1)
			return -1;
	for (int target = first; target < behind; target++)
		if (target >= FD_LAYOUT_FIRST &&
		    fd_layout_is_inherited(target) &&
		    fcntl(target, F_DUPFD, behind) == -1)
			return fd_layout_fail();
	for (size_t i = 0; i < count; i++) {
		if (dup2(fds[i], first + (int)i) == -1)
			return fd_layout_fail();
		close(fds[i]);
		fds[i] = first + (int)i;
	}
	return 0;
}

int
fd_layout_free(int *fds, size_t count, int lowest)
{
	for (size_t i = 0; i < count; i++)
		if (fd_layout_move(&fds[i], F_DUPFD, lowest) == -1)
			return -1;
	return 0;
}
