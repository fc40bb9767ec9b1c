/* SPDX-License-Identifier: ISC */
#ifndef BIND_POLLED_H
#define BIND_POLLED_H

/* Adds fd to every epoll instance of this process in which the socket old was
 * under the same number, with the same events and data.  Borrows both.
 * Returns in how many. */
int polled_move(int old, int fd);

#endif
