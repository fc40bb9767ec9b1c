/* SPDX-License-Identifier: ISC */
/*
 * Ownership of descriptors.  Any role, any uid.  -1 means none; a call that
 * fails leaves ownership unchanged, and closing keeps errno.
 */
#include "base/fd.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int
fd_close(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

static void
fd_on_alarm(int number)
{
	(void)number;
}

/* A periodic signal, since one that comes before the wait does not end it.  See
 * sk_stream_wait_close() in the kernel. */
void
fd_limit_close(int limit_us)
{
	const struct itimerval timer = {{0, limit_us}, {0, limit_us}};

	signal(SIGALRM, fd_on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
}

int
fd_close_limited(int fd)
{
	fd_limit_close(FD_LIMIT_US);
	fd = fd_close(fd);
	fd_limit_close(0);
	return fd;
}

int
fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

int
fd_place(int fd, int target)
{
	if (fd == target)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, target) == -1 ? -1 : 0;
}

int
fd_fill_below(int limit)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd < limit);
	fd_close(fd);
	return fd == -1 ? -1 : 0;
}

int
fd_close_from(unsigned int low)
{
	/* close_range(2) is in Linux 5.9, its wrapper only in glibc 2.34. */
	return (int)syscall(SYS_close_range, low, ~0U, 0);
}

void
fd_path(int fd, char path[FD_PATH_SIZE])
{
	snprintf(path, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

int
fd_reopen_writer(int fd)
{
	char path[FD_PATH_SIZE];
	struct stat st;
	int own = -1;

	fd_path(fd, path);
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd)))
		own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return own != -1 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}
