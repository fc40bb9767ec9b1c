/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_SPAWN_H
#define MONITOR_SPAWN_H

#include "base/log.h"

#include <sys/types.h>

#include <stdint.h>

#define SPAWN_FDS 5       /* 0 to 4 */
#define SPAWN_LINES 10000 /* that a child may say */

/* One child to be: all of it borrowed. */
struct spawn {
	int program; /* opened with O_PATH */
	const char **argv;
	int fds[SPAWN_FDS]; /* what 0 to 4 are; -1: /dev/null or closed */
	uint32_t uid;       /* counts only when this process is root */
	uint32_t gid;
};

/* Forks and execs.  The child has nothing open but fds, nothing in its
 * environment but JOURNAL_STREAM and NOTIFY_SOCKET, and exits 71 or 77 after a
 * line in log when a step fails.  Returns the pid, or -1 with errno. */
pid_t spawn_start(const struct spawn *spawn, struct log *log);

/* Waits for a child until deadline_ms (monotonic); then kills it.  Returns its
 * exit status, or minus the signal that ended it; 71 if that is not known. */
int spawn_wait(pid_t pid, uint64_t deadline_ms);

/* spawn_start() and spawn_wait(); what the child says on standard error goes
 * into log when it has ended.  -1 with errno when it did not start. */
int spawn_run(struct spawn *spawn, uint64_t deadline_ms, struct log *log,
    int *out_status);

/* Logs, in this process's name, what a child has written into a file (takes
 * it). */
void spawn_relay(int said, struct log *log);

/* The exit status for an errno: 77 when it is about permission, else 71. */
int spawn_status(int error);

#endif
