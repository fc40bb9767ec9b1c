/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_FD_LAYOUT_H
#define FDRECV_EXEC_FD_LAYOUT_H

#include <stddef.h>

/*
 * Puts descriptors where a program expects them, open across exec.  Whatever
 * is closed on exec is this program's own and may be overwritten; all else was
 * inherited and goes to the program.
 */

/* Opens /dev/null, closed on exec, as whatever of 0 to 2 is not open, so that
 * no other descriptor is born there.  0, or -1 with errno. */
int fd_layout_reserve(void);

/* True if fd is open and stays so across exec. */
int fd_layout_is_inherited(int fd);

/* Moves fds to first, first + 1 and so on.  What was inherited at such a
 * number goes to a free one behind them, except from 0 to 2, where it is
 * closed.  0, or -1 with errno: then fds are as usable as before, wherever
 * they are by now. */
int fd_layout_at(int *fds, size_t count, int first);

/* Moves fds to whatever is free from lowest up.  Likewise. */
int fd_layout_free(int *fds, size_t count, int lowest);

#endif
