/* SPDX-License-Identifier: ISC */
/*
 * Tells which errors were reported already.  The owner of a directory can make
 * any number of names in it, again and again, so both the memory and the
 * number of lines in a minute are limited.  Pure.
 */
#include "engine/policy/report_once.h"

/* FNV-1a.  An owner who makes two names collide misses a line about his own
 * mailbox. */
static uint64_t
report_once_hash(const char *name)
{
	uint64_t hash = 14695981039346656037ULL;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 1099511628211ULL;
	return hash;
}

int
report_once_is_new(struct report_once *once, const char *name, int error,
    ino_t inode, uint64_t now_ms)
{
	uint64_t hash = report_once_hash(name);

	for (unsigned int i = 0; i < once->count; i++)
		if (once->reported[i].name == hash &&
		    once->reported[i].error == error &&
		    once->reported[i].inode == inode)
			return 0;
	if (once->count == REPORT_ONCE_MAX) {
		if (now_ms < once->since_ms + REPORT_ONCE_MS)
			return 0;
		once->count = 0;
	}
	report_once_forget(once, name);
	if (once->count == 0)
		once->since_ms = now_ms;
	once->reported[once->count].name = hash;
	once->reported[once->count].inode = inode;
	once->reported[once->count].error = error;
	once->count++;
	return 1;
}

/* The line still counts, so that a name that comes and goes does not fill the
 * log. */
void
report_once_forget(struct report_once *once, const char *name)
{
	uint64_t hash = report_once_hash(name);

	for (unsigned int i = 0; i < once->count; i++)
		if (once->reported[i].name == hash)
			once->reported[i].error = 0;
}
