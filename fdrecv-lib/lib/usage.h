/* SPDX-License-Identifier: ISC */
#pragma once

/* Which threads of this process are in the library, for one mailbox. */
struct usage {
	int is_ours; /* 1, or 0 in a child of fork(2) */
	int state;   /* enum usage_state */
};

enum usage_state {
	USAGE_LOCKED = 1 << 0,    /* a thread changes the mailbox's state */
	USAGE_RECEIVING = 1 << 1, /* a thread is in fdrecv_next() */
};

/* NULL with errno as mmap(2) and madvise(2). */
struct usage *fdrecv_usage_new(void);
void fdrecv_usage_free(struct usage *usage);

/* Locks; mode is 0, or USAGE_RECEIVING in fdrecv_next().  0, or -1 with EBUSY
 * if another thread is there already, or if the lock is not given back for a
 * second: then its holder is interrupted by this call, or was cancelled. */
int fdrecv_usage_enter(struct usage *usage, int mode);

/* Locks if that is possible without waiting.  0, or -1. */
int fdrecv_usage_try(struct usage *usage);
void fdrecv_usage_leave(struct usage *usage, int mode);

/* Locks again in fdrecv_next(), which waits unlocked.  Keeps errno. */
void fdrecv_usage_end_wait(struct usage *usage);
