/* SPDX-License-Identifier: ISC */
/*
 * Keeps a few descriptors from being used up by connections.  Engine,
 * unprivileged.
 */
#include "engine/handoff/fd_reserve.h"

#include "base/fd.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <limits.h>

#define FD_RESERVE_COUNT 16

void
fd_reserve_init(struct fd_reserve *spare)
{
	struct rlimit limit;

	*spare = (struct fd_reserve){.limit = INT_MAX};
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur > INT_MAX)
		return;
	spare->limit = (int)limit.rlim_cur;
	/* Who has few is left most of them. */
	spare->limit -= limit.rlim_cur < FD_RESERVE_COUNT * 4 ?
	    spare->limit / 4 :
	    FD_RESERVE_COUNT;
}

void
fd_reserve_note(struct fd_reserve *spare, int fd)
{
	if (spare->limit != 0 && fd >= spare->limit)
		spare->short_of = 1;
}

int
fd_reserve_is_left(struct fd_reserve *spare)
{
	int fd;

	if (!spare->short_of)
		return 1;
	fd = fcntl(0, F_DUPFD_CLOEXEC, 0);
	spare->short_of = fd == -1 || fd >= spare->limit;
	fd_close(fd);
	return !spare->short_of;
}
