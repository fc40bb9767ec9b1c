/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"

#include <sys/types.h>

#include <stdint.h>

#define SPAWN_FDS 7 /* a child has descriptors 0 to 6 */

/* A child to start.  Everything is borrowed. */
struct spawn {
	int program; /* opened with O_PATH */
	const char **argv;
	int fds[SPAWN_FDS]; /* -1: /dev/null for 0 to 2, else closed */
	uint32_t uid;       /* used only if this process is root */
	uint32_t gid;
};

/* Forks and executes.  The child has no other descriptor than fds, and nothing
 * in its environment but JOURNAL_STREAM and NOTIFY_SOCKET.  Returns the pid, or
 * -1 with errno, after a line in the log.  A child that cannot execute logs
 * that and exits with spawn_status(). */
pid_t spawn_start(const struct spawn *spawn, struct log *log);

/* Waits for a child to end, and kills it at deadline_ms (monotonic).  Returns
 * its exit status, or minus the signal that ended it, SIGKILL if it does not
 * end.  A forbidden system call (SIGSYS) is in the log. */
int spawn_wait(pid_t pid, uint64_t deadline_ms);

/* The exit status for an errno: EX_NOPERM if it is about permission, else
 * EX_OSERR. */
int spawn_status(int error);
