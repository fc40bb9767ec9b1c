/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

/* Asks whether a process has the socket at a path open.  Its owner does not
 * notice.  1 yes; 0 no, or there is no file; -1 with errno if this cannot be
 * determined, such as EACCES without permission to write to the socket. */
int fdrecv_liveness_probe(const struct sockaddr_un *address);
