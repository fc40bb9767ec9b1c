/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_CHILDREN_H
#define FDRECV_EXEC_CHILDREN_H

#include <sys/types.h>

#include <stddef.h>

/* The children that serve connections.  Others that this process may have had
 * before it was executed are reaped and do not count. */
struct children {
	pid_t *pids;
	size_t count;
	size_t limit;
};

/* 0, or -1 with errno. */
int children_init(struct children *children, size_t limit);

int children_is_full(const struct children *children);

/* fork(2) with a gate: the child gets 0 only after the parent has said
 * children_open_gate(), and ends if the parent dies before.  Gives *out_gate
 * to the parent.  -1 with errno. */
pid_t children_fork(struct children *children, int *out_gate);

/* From now on the child goes on.  Borrows gate. */
void children_open_gate(int gate);

/* In the child: waits at the gate, which it borrows and exec closes. */
void children_wait(int gate);

/* In the child: ends it, and tells the parent why it is no program. */
void children_fail(int gate, int error) __attribute__((noreturn));

/* What became of the child: 0 a program, or it has ended; the errno of
 * children_fail(); -1 nothing yet, until gate is readable.  Borrows gate. */
int children_result(int gate);

/* Reaps all that have ended. */
void children_reap(struct children *children);

void children_done(struct children *children);

#endif
