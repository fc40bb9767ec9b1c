/* SPDX-License-Identifier: ISC */
/*
 * The lent sockets that the application has.  Runs in the worker.  The
 * application may have closed a socket and reused its number for another one,
 * so the kernel is asked for the cookie of that number.
 */
#include "lib/lent_cookies.h"

#include <sys/socket.h>

int
fdrecv_lent_cookies_has(struct lent_cookies *lent, uint64_t cookie, int fd)
{
	uint64_t found;
	socklen_t size = sizeof(found);
	size_t i = 0;

	while (i < lent->count && lent->sockets[i].cookie != cookie)
		i++;
	/* fd may have the number that the application closed. */
	if (i < lent->count && lent->sockets[i].fd != fd &&
	    getsockopt(lent->sockets[i].fd, SOL_SOCKET, SO_COOKIE, &found,
		&size) == 0 &&
	    found == cookie)
		return 1;
	if (i == LENT_COOKIES_MAX)
		return 0;
	if (i == lent->count)
		lent->count++;
	lent->sockets[i].cookie = cookie;
	lent->sockets[i].fd = fd;
	return 0;
}
