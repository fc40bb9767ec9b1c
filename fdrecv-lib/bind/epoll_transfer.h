/* SPDX-License-Identifier: ISC */
#pragma once

/* fd has taken the number of a socket of which old is a duplicate.  Adds fd to
 * each epoll instance of this process that had that socket under this number,
 * with the same events and data.  Borrows both.  Returns the number of
 * instances. */
int epoll_transfer(int old, int fd);
