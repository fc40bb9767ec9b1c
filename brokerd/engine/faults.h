/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_FAULTS_H
#define ENGINE_FAULTS_H

#include <sys/types.h>

#include <stdint.h>

#define FAULTS_MAX 16
#define FAULTS_MS 60000

/* What has been said about names that cannot be used: each fault once, and no
 * more than FAULTS_MAX of them within FAULTS_MS.  Zeros: nothing yet. */
struct faults {
	struct {
		uint64_t name; /* a hash of it */
		ino_t inode;
		int error; /* 0: over */
	} said[FAULTS_MAX];
	unsigned int count;
	uint64_t since_ms;
};

/* True if this is to be said now, and it counts as said then.  When
 * faults->count is FAULTS_MAX afterwards, it was the last for a while. */
int faults_is_new(struct faults *faults, const char *name, int error,
    ino_t inode, uint64_t now_ms);

/* The name is all right: another fault of it is a new one. */
void faults_forget(struct faults *faults, const char *name);

#endif
