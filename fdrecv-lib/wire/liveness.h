/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_WIRE_LIVENESS_H
#define FDRECV_WIRE_LIVENESS_H

#include <sys/socket.h>
#include <sys/un.h>

/* Asks whether a process has the socket at a path open.  Its owner does not
 * notice.  1 yes; 0 no, or there is no file; -1 with errno when it cannot be
 * known, as EACCES without permission to write to the socket. */
int fdrecv_liveness_probe(const struct sockaddr_un *address);

#endif
