/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_CONNECTION_H
#define FDRECV_EXEC_CONNECTION_H

struct fdrecv_handoff;

/* Says in the environment who is at the other end of a connection, as UCSPI
 * does, and takes away what it said of another one.  0, or -1 with errno. */
int connection_tell(const struct fdrecv_handoff *h);

#endif
