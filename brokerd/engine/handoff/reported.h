/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define REPORTED_MAX 256

/* Errors of mailboxes that an engine has logged, so that the next engine does
 * not log them again.  It is in memory that outlives the engine; a hostile one
 * can only cause or suppress such lines. */
struct reported {
	uint64_t next; /* the entry that a new one takes */
	struct {
		uint64_t name; /* hash of the path; 0: free */
		uint64_t inode;
		uint64_t error;
	} entries[REPORTED_MAX];
};

/* True if no engine has logged that error of directory and name since
 * reported_forget(); then it counts as logged. */
int reported_is_new(struct reported *reported, const char *directory,
    const char *name, int error, ino_t inode);

/* The error is over: the next one is new. */
void reported_forget(
    struct reported *reported, const char *directory, const char *name);
