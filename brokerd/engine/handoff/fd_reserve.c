/* SPDX-License-Identifier: ISC */
/*
 * Keeps connections from using up all descriptors.  Engine, unprivileged.
 */
#include "engine/handoff/fd_reserve.h"

#include "base/fd.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <limits.h>

#define FD_RESERVE_SIZE 16

void
fd_reserve_init(struct fd_reserve *reserve)
{
	struct rlimit limit;

	*reserve = (struct fd_reserve){.first = INT_MAX, .last = -1};
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur > INT_MAX)
		return;
	reserve->first = (int)limit.rlim_cur;
	/* If the limit is small, most of it is for connections. */
	reserve->first -= limit.rlim_cur < FD_RESERVE_SIZE * 4 ?
	    reserve->first / 4 :
	    FD_RESERVE_SIZE;
}

static void
fd_reserve_ask(struct fd_reserve *reserve)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

	reserve->last = fd == -1 ? reserve->first : fd;
	fd_close(fd);
}

int
fd_reserve_is_left(struct fd_reserve *reserve)
{
	if (reserve->last >= reserve->first)
		fd_reserve_ask(reserve);
	return reserve->last < reserve->first;
}

/* The kernel gives the lowest that is free, so those below it are used. */
uint64_t
fd_reserve_left(struct fd_reserve *reserve, uint64_t enough)
{
	if (reserve->last >= reserve->first ||
	    (uint64_t)(reserve->first - reserve->last) < enough)
		fd_reserve_ask(reserve);
	return reserve->last < reserve->first ?
	    (uint64_t)(reserve->first - reserve->last) :
	    0;
}
