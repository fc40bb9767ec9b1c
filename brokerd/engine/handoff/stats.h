/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/legacy.h"

/* The counters of this engine, in memory that outlives it. */
struct stats {
	int fd;
	struct stats_page *page; /* NULL: not open */
	struct stats_row *rows;  /* of its listeners; NULL: none yet */
	size_t room;             /* for rows; how many there are is in page */
	struct legacy legacy;
};

/* Begins to count in the file fd, which is empty (takes it).  0, or -1 with
 * errno; stats_close() accepts either, and all zeros. */
int stats_open(struct stats *stats, int fd, struct log *log);

/* Makes room for that many listeners, once.  0, or -1 with errno. */
int stats_reserve(struct stats *stats, size_t room);

/* The row of a listener that has none yet.  NULL with ENOSPC or
 * ENAMETOOLONG. */
struct stats_row *stats_add(struct stats *stats, const char *name);

/* All listeners have been added: see legacy_load().  0, or -1 with errno. */
int stats_load(struct stats *stats);

/* Other engines have ended: see legacy_add() and legacy_sum_up().  0, or -1
 * with errno. */
int stats_sum_up(struct stats *stats);

/* It follows no administrator any more.  Another engine serves from now on, and
 * cannot change the file. */
void stats_finish(struct stats *stats);

/* See legacy_follow(). */
int stats_follow(struct stats *stats);

/* Sums up what all engines have counted for a listener of this one. */
void stats_sum(struct stats *stats, const struct stats_listener *own,
    struct stats_listener *out_sum);

/* Returns this version if the engine before had another one, or NULL. */
const char *stats_new_version(const struct stats *stats);

/* One of the files that another engine needs, by number (borrowed); -1 behind
 * the last one. */
int stats_find_file(const struct stats *stats, uint32_t number);

void stats_close(struct stats *stats);
