/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/stats_row.h"

#include <stddef.h>

#define STATS_PACKAGE_SIZE 32
#define STATS_FILE_CHUNK 64 /* rows that are read at a time */

/* The beginning of a file; the rows follow at STATS_FILE_ROWS. */
struct stats_head {
	uint32_t magic, layout, row_size, count;
	char package[STATS_PACKAGE_SIZE]; /* version of the engine */
	uint64_t made_ms;                 /* when that engine started */
	uint64_t started_ms;              /* when the first one did */
};

struct stats_page {
	struct stats_head head;
	struct persistent persistent;
};

#define STATS_FILE_PAGE 4096
#define STATS_FILE_ROWS                                                        \
	((sizeof(struct stats_page) + STATS_FILE_PAGE - 1) / STATS_FILE_PAGE * \
	    STATS_FILE_PAGE)

/* Where an earlier engine has the row of a listener, and if it was paused when
 * that was last read. */
struct stats_place {
	uint32_t row; /* plus 1; 0: nowhere */
	uint32_t paused;
};

/* Counters that an earlier engine has written, or still writes.  It may have
 * written anything, so the file is never mapped. */
struct stats_file {
	int fd;
	int lives;               /* its engine */
	size_t count;            /* of rows */
	uint64_t made_ms;        /* see struct stats_head */
	uint64_t statements;     /* see struct persistent; when last read */
	struct stats_place *own; /* for each row of the reader, or NULL */
};

/* The head of an empty file of this version. */
void stats_file_init(struct stats_head *head);

/* Reads the head of a file (takes fd).  NULL, or why the file cannot be used;
 * then there is none, and fd is closed. */
const char *stats_file_open(
    struct stats_file *file, int fd, int lives, struct stats_head *out_head);

/* Reads everything but the counters and listeners into *persistent, which may
 * be in part overwritten if it fails: -1. */
int stats_file_read_persistent(
    const struct stats_file *file, struct persistent *persistent);

/* True if nobody can change it any more: it holds sums of other files. */
int stats_file_is_sealed(const struct stats_file *file);

/* True if both are the same file. */
int stats_file_is_same(
    const struct stats_file *file, const struct stats_file *other);

/* Reads at most STATS_FILE_CHUNK rows from the one with that number on.
 * Returns how many there are; adds to *wrong those whose numbers no engine
 * writes.  Their counters are 0 then, and their names may be "". */
size_t stats_file_read(const struct stats_file *file, size_t number,
    struct stats_row out_rows[STATS_FILE_CHUNK], size_t *wrong);

/* Reads the row of the listener whose row of the reader has that number.  True
 * if there is one, with numbers that an engine writes. */
int stats_file_read_own(
    const struct stats_file *file, size_t own, struct stats_row *out_row);

/* Adds counters, up to a limit that no engine reaches. */
void stats_row_add(
    struct stats_listener *sum, const struct stats_listener *add);

void stats_file_close(struct stats_file *file);
