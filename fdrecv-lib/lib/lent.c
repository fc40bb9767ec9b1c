/* SPDX-License-Identifier: ISC */
/*
 * Which lent sockets the application holds.  Runs in the worker.  A descriptor
 * that it has closed since may be another socket's, so the kernel is asked.
 */
#include "lib/lent.h"

#include <sys/socket.h>

int
fdrecv_lent_has(struct lent *lent, uint64_t cookie, int fd)
{
	uint64_t found;
	socklen_t size;
	size_t i;

	for (i = 0; i < lent->count; i++) {
		if (lent->sockets[i].cookie != cookie)
			continue;
		size = sizeof(found);
		/* Its number may be free again, and fd's. */
		if (lent->sockets[i].fd != fd &&
		    getsockopt(lent->sockets[i].fd, SOL_SOCKET, SO_COOKIE,
			&found, &size) == 0 &&
		    found == cookie)
			return 1;
		break;
	}
	if (i == LENT_MAX)
		return 0;
	if (i == lent->count)
		lent->count++;
	lent->sockets[i].cookie = cookie;
	lent->sockets[i].fd = fd;
	return 0;
}
