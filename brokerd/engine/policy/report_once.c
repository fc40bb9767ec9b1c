/* SPDX-License-Identifier: ISC */
/*
 * Which faults of mailboxes have been said.  Whoever owns the directory makes
 * the names in it, as many as he likes and again and again, so the memory is
 * bounded and so is what is said in a minute.  Engine, unprivileged.
 */
#include "engine/policy/report_once.h"

/* FNV-1a.  Who makes two names collide misses a line about his own. */
static uint64_t
report_once_hash(const char *name)
{
	uint64_t hash = 14695981039346656037ULL;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211ULL;
	return hash;
}

int
report_once_is_new(struct report_once *faults, const char *name, int error,
    ino_t inode, uint64_t now_ms)
{
	uint64_t hash = report_once_hash(name);

	for (unsigned int i = 0; i < faults->count; i++)
		if (faults->said[i].name == hash &&
		    faults->said[i].error == error &&
		    faults->said[i].inode == inode)
			return 0;
	if (faults->count == REPORT_ONCE_MAX) {
		if (now_ms < faults->since_ms + REPORT_ONCE_MS)
			return 0;
		faults->count = 0;
	}
	report_once_forget(faults, name);
	if (faults->count == 0)
		faults->since_ms = now_ms;
	faults->said[faults->count].name = hash;
	faults->said[faults->count].inode = inode;
	faults->said[faults->count].error = error;
	faults->count++;
	return 1;
}

/* The line stays counted, so that coming and going does not fill the log. */
void
report_once_forget(struct report_once *faults, const char *name)
{
	uint64_t hash = report_once_hash(name);

	for (unsigned int i = 0; i < faults->count; i++)
		if (faults->said[i].name == hash)
			faults->said[i].error = 0;
}
