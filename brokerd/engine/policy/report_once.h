/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stdint.h>

#define REPORT_ONCE_MAX 16
#define REPORT_ONCE_MS 60000

/* The errors of names that were reported: each once, and at most
 * REPORT_ONCE_MAX within REPORT_ONCE_MS.  All zeros: none yet. */
struct report_once {
	struct {
		uint64_t name; /* its hash */
		ino_t inode;
		int error; /* 0: over */
	} reported[REPORT_ONCE_MAX];
	unsigned int count;
	uint64_t since_ms;
};

/* True if this is to be reported now; then it counts as reported.  If
 * once->count is REPORT_ONCE_MAX afterwards, it was the last for a while. */
int report_once_is_new(struct report_once *once, const char *name, int error,
    ino_t inode, uint64_t now_ms);

/* The name has no error any more: its next one is new. */
void report_once_forget(struct report_once *once, const char *name);
