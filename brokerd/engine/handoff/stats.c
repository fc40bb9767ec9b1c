/* SPDX-License-Identifier: ISC */
/*
 * Counters in a memfd that the monitor made for this engine, does not read, and
 * gives to later engines.  See legacy.c for what earlier ones counted.  Engine,
 * unprivileged.
 */
#include "engine/handoff/stats.h"

#include "base/fd.h"
#include "base/text.h"
#include "config.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1: all but this mapping */
#endif

static size_t
stats_size(size_t rows)
{
	return STATS_FILE_ROWS + rows * sizeof(struct stats_row);
}

/* Page and rows are mapped apart, because pointers into the page remain. */
static void *
stats_map(struct stats *stats, size_t size, size_t offset)
{
	void *memory;

	if (ftruncate(stats->fd, (off_t)(offset + size)) == -1)
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, stats->fd,
	    (off_t)offset);
	return memory == MAP_FAILED ? NULL : memory;
}

int
stats_open(struct stats *stats, int fd, struct log *log)
{
	*stats = (struct stats){.fd = fd};
	legacy_init(&stats->legacy, log);
	stats->page = stats_map(stats, STATS_FILE_ROWS, 0);
	if (stats->page == NULL) {
		fd_close(fd);
		return -1;
	}
	stats_file_init(&stats->page->head);
	return 0;
}

int
stats_reserve(struct stats *stats, size_t room)
{
	stats->rows =
	    stats_map(stats, room * sizeof(*stats->rows), STATS_FILE_ROWS);
	stats->room = stats->rows == NULL ? 0 : room;
	return stats->rows == NULL ? -1 : 0;
}

struct stats_row *
stats_add(struct stats *stats, const char *name)
{
	struct stats_row *row = &stats->rows[stats->page->head.count];

	errno = ENOSPC;
	if (stats->page->head.count == stats->room ||
	    text_copy(row->counters.name, sizeof(row->counters.name), name) ==
		-1)
		return NULL;
	stats->page->head.count++;
	return row;
}

int
stats_load(struct stats *stats)
{
	if (ftruncate(stats->fd, (off_t)stats_size(stats->page->head.count)) ==
		-1 ||
	    legacy_load(&stats->legacy, stats->page, stats->rows) == -1)
		return -1;
	return fcntl(stats->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
}

int
stats_sum_up(struct stats *stats)
{
	return legacy_sum_up(&stats->legacy, stats->page, stats->rows);
}

void
stats_finish(struct stats *stats)
{
	stats->page->persistent.is_final = 1;
	fcntl(stats->fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_FUTURE_WRITE);
}

int
stats_follow(struct stats *stats)
{
	return legacy_follow(&stats->legacy, stats->page, stats->rows);
}

void
stats_sum(struct stats *stats, const struct stats_listener *own,
    struct stats_listener *out_sum)
{
	const struct stats_row *row = (const void *)own;

	*out_sum = *own;
	legacy_sum(&stats->legacy, (size_t)(row - stats->rows), out_sum);
	/* The engine that died counted them so, and a later one has them. */
	out_sum->lost -= out_sum->returned_engine < out_sum->lost ?
	    out_sum->returned_engine :
	    out_sum->lost;
	out_sum->orphaned -= out_sum->returned_sent < out_sum->orphaned ?
	    out_sum->returned_sent :
	    out_sum->orphaned;
}

const char *
stats_new_version(const struct stats *stats)
{
	const char *before = stats->legacy.package;

	return before[0] == '\0' || strcmp(before, PACKAGE_VERSION) == 0 ?
	    NULL :
	    PACKAGE_VERSION;
}

int
stats_find_file(const struct stats *stats, uint32_t number)
{
	if (number < 2)
		return number == 0 ? stats->fd : stats->legacy.sums;
	number -= 2;
	return number < stats->legacy.count ? stats->legacy.files[number].fd :
					      -1;
}

void
stats_close(struct stats *stats)
{
	if (stats->page == NULL)
		return;
	if (stats->rows != NULL)
		munmap(stats->rows, stats->room * sizeof(*stats->rows));
	munmap(stats->page, STATS_FILE_ROWS);
	legacy_close(&stats->legacy);
	fd_close(stats->fd);
	*stats = (struct stats){.page = NULL};
}
