/* SPDX-License-Identifier: ISC */
#pragma once

/* Sets each option that the program has set on socket from on socket to as
 * well, and makes O_NONBLOCK the same.  Borrows both, which are of the same
 * kind.  Options that the kernel does not permit to set remain as they are. */
void takeover_options(int from, int to);

/* fd has taken the number of a socket of which old is a duplicate.  Adds fd to
 * each epoll instance of this process that had that socket under this number,
 * with the same events and data.  Borrows both.  Returns the number of
 * instances. */
int takeover_epoll(int old, int fd);
