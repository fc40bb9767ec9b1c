/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stddef.h>

struct lingering;

/* The children that serve connections.  Other children, which this process may
 * have had before it was executed, are reaped and do not count. */
struct children {
	struct child {
		pid_t pid;
		int connection; /* while it is kept for lingering, or -1 */
	} * items;
	size_t count;
	size_t limit;
	size_t kept; /* connections */
	size_t kept_limit;
	long long look_ms; /* when to look who has them */
	int pause_ms;      /* from one look to the next */
	struct lingering *lingering;
};

/* Borrows lingering.  Ends the process with a message if there is no memory. */
void children_init(
    struct children *children, size_t limit, struct lingering *lingering);

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

/* In the parent: keeps a duplicate of a child's connection, which lingers when
 * the child has ended, unless processes are left that a child started: they may
 * go on serving it.  Keeps at most half of RLIMIT_NOFILE.  Borrows
 * connection. */
void children_keep(struct children *children, pid_t pid, int connection);

/* Lets connections linger that their children have closed, although they run
 * on, unless another process has them. */
void children_look(struct children *children);

/* Milliseconds until children_look() has to be called, or -1. */
int children_left_ms(const struct children *children);

/* Reaps all children that have ended. */
void children_reap(struct children *children);

/* Kills all children that are left.  Returns their number. */
size_t children_kill(const struct children *children);

void children_done(struct children *children);
