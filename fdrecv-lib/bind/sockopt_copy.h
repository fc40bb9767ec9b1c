/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_BIND_SOCKOPT_COPY_H
#define FDRECV_BIND_SOCKOPT_COPY_H

/* Gives the socket to each option that the program has set on the socket from,
 * and its O_NONBLOCK, set or not.  Borrows both, which are of the same kind.
 * What the kernel does not let it set stays as it is. */
void sockopt_copy_options(int from, int to);

#endif
