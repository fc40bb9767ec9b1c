/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* The ABI from which on the kernel has rules for TCP; for abstract sockets and
 * signals, and so for all that is used here. */
#define LANDLOCK_TCP 4
#define LANDLOCK_SCOPES 6

/* Rights to files below a directory, see landlock(7). */
#define LANDLOCK_READ_FILE (UINT64_C(1) << 2)
#define LANDLOCK_READ_DIR (UINT64_C(1) << 3)

/* Kinds of use of TCP. */
#define LANDLOCK_TCP_BIND (UINT64_C(1) << 0)
#define LANDLOCK_TCP_CONNECT (UINT64_C(1) << 1)

struct landlock {
	int rules; /* a descriptor, or -1 */
	int abi;   /* the version of the kernel's Landlock */
};

/* Begins rules: no file, none of the kinds of TCP in tcp, no abstract socket
 * and no signal of a process outside, as far as this kernel can.  0, or -1
 * with errno: ENOSYS or EOPNOTSUPP if it has no Landlock. */
int landlock_begin(struct landlock *landlock, uint64_t tcp);

/* Allows rights to all that is below directory (borrows it), also what is made
 * or mounted there later.  0, or -1 with errno. */
int landlock_allow(
    const struct landlock *landlock, int directory, uint64_t rights);

/* Applies the rules to this process, for ever, finds out whether they work, and
 * closes them.  0, or -1 with errno. */
int landlock_enter(struct landlock *landlock);
