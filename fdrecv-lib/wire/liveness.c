/* SPDX-License-Identifier: ISC */
/*
 * Is a Unix socket alive?  connect(2) from a datagram socket sends nothing, and
 * queues nothing.  A live socket accepts it, has another type (EPROTOTYPE), or
 * is a datagram socket that talks to another peer (EPERM); the file of a closed
 * one refuses (ECONNREFUSED).
 */
#include "wire/liveness.h"

#include <errno.h>
#include <unistd.h>

int
fdrecv_liveness_probe(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error, result;

	if (fd == -1)
		return -1;
	result = connect(fd, (const void *)address, sizeof(*address));
	error = result == 0 ? 0 : errno;
	close(fd);
	if (error == 0 || error == EPROTOTYPE || error == EPERM)
		return 1;
	errno = error;
	return error == ECONNREFUSED || error == ENOENT ? 0 : -1;
}
