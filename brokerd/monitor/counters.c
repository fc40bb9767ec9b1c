/* SPDX-License-Identifier: ISC */
/*
 * The memory in which engines count.  Runs as root.  Each engine writes a memfd
 * of its own, and another one with the sums of those before it that have ended;
 * the monitor hands all of them to the next engine, and looks into none.
 */
#include "monitor/counters.h"

#include "base/clock.h"
#include "base/fd.h"

#include <sys/mman.h>

#include <fcntl.h>

#define COUNTERS_INHERITED_MS 3600000 /* then their engines have drained */

/* Engines seal sums, and their own counters when they begin to drain: then they
 * live for no longer than an upgrade waits. */
struct counters_file *
counters_inherit(struct counters *counters, struct inherited *inherited)
{
	struct counters_file *file = counters->files, *last = NULL;
	struct inherited_item *item = inherited->items;
	int seals;

	for (int i = 0; i < COUNTERS_MAX; i++)
		counters->files[i].fd = -1;
	for (; item < &inherited->items[inherited->count]; item++) {
		seals = item->length == 0 ? fcntl(item->fd, F_GET_SEALS) : -1;
		if (seals == -1 || (seals & F_SEAL_SHRINK) == 0 ||
		    file == &counters->files[COUNTERS_MAX / 2])
			continue;
		if ((seals & F_SEAL_SEAL) == 0) {
			file->ends_ms = clock_ms() + COUNTERS_INHERITED_MS;
			last = file;
		}
		file++->fd = fd_steal(&item->fd);
	}
	return last;
}

struct counters_file *
counters_new(struct counters *counters)
{
	struct counters_file *file = counters->files;

	while (file->fd != -1)
		if (++file == &counters->files[COUNTERS_MAX])
			return NULL;
	file->ends_ms = COUNTERS_NEW;
	file->fd =
	    memfd_create("brokerd-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return file->fd == -1 ? NULL : file;
}

void
counters_replace(struct counters *counters, struct counters_file **sums)
{
	struct counters_file *file = counters->files;

	for (int i = 0; i < COUNTERS_MAX; i++, file++)
		if (file->ends_ms == 0)
			file->fd = fd_close(file->fd);
	(*sums)->ends_ms = 0;
	*sums = NULL;
}

void
counters_end(struct counters_file **file)
{
	if (*file != NULL && (*file)->ends_ms == COUNTERS_NEW)
		(*file)->fd = fd_close((*file)->fd);
	else if (*file != NULL)
		(*file)->ends_ms = 1;
	*file = NULL;
}
