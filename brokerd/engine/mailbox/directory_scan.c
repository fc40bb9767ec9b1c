/* SPDX-License-Identifier: ISC */
/*
 * Reads the names of a directory in parts.  Engine, unprivileged.
 */
#include "engine/mailbox/directory_scan.h"

#include "base/clock.h"

#include <stddef.h>

#define DIRECTORY_SCAN_NAMES 65536 /* read in one scan */

int
directory_scan_open(struct directory_scan *scan, const char *path)
{
	*scan = (struct directory_scan){.dir = opendir(path)};
	return scan->dir == NULL ? -1 : 0;
}

static int
directory_scan_is_candidate(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	    (entry->d_type == DT_SOCK || entry->d_type == DT_UNKNOWN);
}

int
directory_scan_part(struct directory_scan *scan,
    void (*on_name)(void *owner, const char *name), void *owner)
{
	uint64_t until_us = clock_us() + DIRECTORY_SCAN_PART_US;
	unsigned int names = 0, sockets = 0;
	const struct dirent *entry = NULL;

	while (names < DIRECTORY_SCAN_NAMES_MANY &&
	    sockets < DIRECTORY_SCAN_MANY &&
	    (sockets < DIRECTORY_SCAN_FEW || clock_us() < until_us) &&
	    (entry = readdir(scan->dir)) != NULL) {
		names++;
		if (!directory_scan_is_candidate(entry))
			continue;
		scan->too_many = scan->sockets == DIRECTORY_SCAN_SOCKETS;
		if (scan->too_many)
			break;
		sockets++;
		scan->sockets++;
		on_name(owner, entry->d_name);
	}
	scan->names += names;
	scan->too_many |= scan->names >= DIRECTORY_SCAN_NAMES;
	return entry == NULL || scan->too_many;
}

void
directory_scan_close(struct directory_scan *scan)
{
	if (scan->dir != NULL)
		closedir(scan->dir);
	scan->dir = NULL;
}
