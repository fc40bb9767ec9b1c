/* SPDX-License-Identifier: ISC */
#pragma once

/*
 * File descriptors: -1 is "none", everything is closed on exec from birth.
 * The only place in brokerd that calls close(2) or dup(2).
 */

/* Closes fd (takes it; -1 is accepted) and keeps errno.  Returns -1, so that
 * the owner can write x->fd = fd_close(x->fd). */
int fd_close(int fd);

/* The same for a socket that a stranger shares or has sent: the last close
 * waits for SO_LINGER, but here for at most FD_LIMIT_US. */
int fd_close_limited(int fd);

#define FD_LIMIT_US 2000

/* From here to fd_limit_close(0) each close of a stranger's socket takes at
 * most limit_us: the last close waits for SO_LINGER, but not while a signal is
 * pending.  To be put around recvmsg(2), which closes descriptors that it has
 * no room for, and around fd_close().  Uses SIGALRM and ITIMER_REAL. */
void fd_limit_close(int limit_us);

/* Gives the descriptor in *fd, which becomes -1. */
int fd_steal(int *fd);

/* Makes target a duplicate of fd (borrows it) that stays open over exec(2).
 * Only for a process that executes nothing afterwards but what is to have
 * target.  0, or -1 with errno. */
int fd_place(int fd, int target);

/* Opens /dev/null, closed on exec, for each number below limit that is free,
 * so that no other descriptor gets it.  0, or -1 with errno. */
int fd_fill_below(int limit);

/* Closes all descriptors from low on.  0, or -1 with errno. */
int fd_close_from(unsigned int low);

#define FD_PATH_SIZE 32

/* Writes a path of the file that fd is, whatever its name refers to by now. */
void fd_path(int fd, char path[FD_PATH_SIZE]);

/* Opens the pipe or terminal that fd (borrows it) writes to once more, for
 * writing without blocking: O_NONBLOCK set on fd itself would change it for
 * every process that shares it.  Gives a descriptor, which is a duplicate of
 * other files and if that fails, or -1 with errno. */
int fd_reopen_writer(int fd);
