/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POLICY_REPORT_ONCE_H
#define ENGINE_POLICY_REPORT_ONCE_H

#include <sys/types.h>

#include <stdint.h>

#define REPORT_ONCE_MAX 16
#define REPORT_ONCE_MS 60000

/* What has been said about names that cannot be used: each fault once, and no
 * more than REPORT_ONCE_MAX of them within REPORT_ONCE_MS.  Zeros: nothing yet.
 */
struct report_once {
	struct {
		uint64_t name; /* a hash of it */
		ino_t inode;
		int error; /* 0: over */
	} said[REPORT_ONCE_MAX];
	unsigned int count;
	uint64_t since_ms;
};

/* True if this is to be said now, and it counts as said then.  When
 * faults->count is REPORT_ONCE_MAX afterwards, it was the last for a while. */
int report_once_is_new(struct report_once *faults, const char *name, int error,
    ino_t inode, uint64_t now_ms);

/* The name is all right: another fault of it is a new one. */
void report_once_forget(struct report_once *faults, const char *name);

#endif
