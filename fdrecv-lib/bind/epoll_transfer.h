/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_BIND_EPOLL_TRANSFER_H
#define FDRECV_BIND_EPOLL_TRANSFER_H

/* Adds fd to every epoll instance of this process in which the socket old was
 * under the same number, with the same events and data.  Borrows both.
 * Returns in how many. */
int epoll_transfer_move(int old, int fd);

#endif
