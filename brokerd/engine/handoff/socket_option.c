/* SPDX-License-Identifier: ISC */
/*
 * What the kernel says of a descriptor that may be anything, because an engine
 * that was killed or taken over had it.  Engine and keeper, unprivileged.
 */
#include "engine/handoff/socket_option.h"

#include <sys/socket.h>

int
socket_option(int fd, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value :
								      -1;
}
