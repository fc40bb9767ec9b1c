/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

/*
 * Moves descriptors to where a program expects them, open across exec.  A
 * descriptor that is closed on exec is fdrecv-exec's own and may be
 * overwritten.  All others were inherited, and remain for the program.
 */

#define FD_LAYOUT_FIRST 3 /* behind standard input, output and error */

/* Opens /dev/null, closed on exec, as each of 0 to 2 that is not open, so that
 * no other descriptor gets such a number.  0, or -1 with errno. */
int fd_layout_reserve(void);

/* True if fd is open and stays open across exec. */
int fd_layout_is_inherited(int fd);

/* Moves fds to first, first + 1 and so on (takes them, and puts the new numbers
 * into fds).  An inherited descriptor with such a number moves to a free number
 * behind them; if the number is 0 to 2 it is closed.  0, or -1 with errno: then
 * fds still contains the numbers that they have. */
int fd_layout_at(int *fds, size_t count, int first);

/* Moves fds to free numbers from lowest up.  Likewise. */
int fd_layout_free(int *fds, size_t count, int lowest);
