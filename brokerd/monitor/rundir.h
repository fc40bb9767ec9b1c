/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "monitor/inherited.h"
#include "record/record.h"

/* The run directory: a lock, so that only one broker uses it, and the mailbox
 * directories that the monitor makes. */
struct rundir {
	char path[RECORD_PATH_SIZE];
	int fd;
	int lock;
	int mailboxes; /* mailbox/ in it */
	int private;   /* made for this process, removed at its end */
};

/* Opens the directory given, or a new private one, or the default one, which it
 * makes if it is missing, and takes the lock, which may be inherited; with
 * only_name, only sets the path.  Returns -1, or the status to exit with, after
 * a line in log. */
int rundir_open(struct rundir *rundir, const char *given, int private,
    int only_name, struct inherited *inherited, struct log *log);

/* Makes mailbox/NAME/ with this owner and group, or changes the one that is
 * there.  0, or -1 with errno. */
int rundir_make_mailbox(
    const struct rundir *rundir, const char *name, uint32_t uid, uint32_t gid);

/* Removes a private directory.  The lock ends with the process. */
void rundir_done(struct rundir *rundir);
