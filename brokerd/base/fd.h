/* SPDX-License-Identifier: ISC */
#ifndef BASE_FD_H
#define BASE_FD_H

/*
 * File descriptors: -1 is "none", everything is closed on exec from birth.
 * The only place in brokerd that calls close(2) or dup(2).
 */

/* Closes fd (takes it; -1 is accepted) and keeps errno.  Returns -1, so
 * that the owner can write x->fd = fd_close(x->fd). */
int fd_close(int fd);

/* From here to fd_limit_close(0) each close of a stranger's socket takes at
 * most limit_us: the last close waits for SO_LINGER, but not while a signal is
 * pending.  To be put around whatever may close what a stranger shares or has
 * sent: fd_close(), and recvmsg(2) without room for descriptors.  Uses SIGALRM
 * and ITIMER_REAL. */
void fd_limit_close(int limit_us);

/* Moves a descriptor out of *fd, which becomes -1.  Gives. */
int fd_steal(int *fd);

/* Borrows fd and makes target a duplicate of it that survives exec.  Only
 * for the child between fork and exec.  0, or -1 with errno. */
int fd_place(int fd, int target);

/* Opens /dev/null, closed on exec, wherever below limit nothing is open, so
 * that no other descriptor of this process is born there.  0, or -1 with
 * errno. */
int fd_fill_below(int limit);

/* Closes every descriptor from low up.  0, or -1 with errno. */
int fd_close_from(unsigned int low);

/* Gives a non-blocking, private description of what fd writes to where the
 * kernel allows that (a pipe or a terminal), else -1: O_NONBLOCK set on fd
 * itself would change it for every process that shares it. */
int fd_reopen_writer(int fd);

#endif
