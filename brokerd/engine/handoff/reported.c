/* SPDX-License-Identifier: ISC */
/*
 * What engines have logged.  Engine, unprivileged.  Several engines may
 * write here at the same time, and any of them may be hostile: no number is
 * used as an index without a limit.
 */
#include "engine/handoff/reported.h"

#include <stddef.h>

/* FNV-1a. */
static uint64_t
reported_hash(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
	return hash;
}

/* Never 0. */
static uint64_t
reported_name(const char *directory, const char *name)
{
	return reported_hash(
		   reported_hash(14695981039346656037ULL, directory), name) |
	    1;
}

int
reported_is_new(struct reported *reported, const char *directory,
    const char *name, int error, ino_t inode)
{
	uint64_t hash = reported_name(directory, name);
	size_t i = 0;

	while (i < REPORTED_MAX && reported->entries[i].name != hash)
		i++;
	if (i == REPORTED_MAX)
		i = reported->next++ % REPORTED_MAX;
	else if (reported->entries[i].error == (uint64_t)error &&
	    reported->entries[i].inode == inode)
		return 0;
	reported->entries[i].name = hash;
	reported->entries[i].error = (uint64_t)error;
	reported->entries[i].inode = inode;
	return 1;
}

void
reported_forget(
    struct reported *reported, const char *directory, const char *name)
{
	uint64_t hash = reported_name(directory, name);

	for (size_t i = 0; i < REPORTED_MAX; i++)
		if (reported->entries[i].name == hash)
			reported->entries[i].name = 0;
}
