/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stddef.h>

/* The children that serve connections.  Other children, which this process may
 * have had before it was executed, are reaped and do not count. */
struct children {
	pid_t *pids;
	size_t count;
	size_t limit;
};

/* Ends the process with a message if there is no memory. */
void children_init(struct children *children, size_t limit);

int children_is_full(const struct children *children);

/* Forks a child that shares a socket with its parent (gives *out_sync to both).
 * Returns as fork(2). */
pid_t children_fork(struct children *children, int *out_sync);

/* In the parent: lets the child continue.  Borrows sync. */
void children_release(int sync);

/* In the child: waits for children_release(), and ends the child if the parent
 * dies before.  Borrows sync, which exec closes. */
void children_wait(int sync);

/* In the child: ends it, and tells the parent that exec failed with error. */
void children_fail(int sync, int error) __attribute__((noreturn));

/* In the parent: 0 if the child runs its program or has ended, the error of
 * children_fail(), or -1 if nothing is known until sync is readable.  Borrows
 * sync. */
int children_result(int sync);

/* Reaps all children that have ended. */
void children_reap(struct children *children);

void children_done(struct children *children);
