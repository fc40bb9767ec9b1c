/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "engine/handoff/stats_file.h"

#define LEGACY_FILES 16

/* What earlier engines have left to this one. */
struct legacy {
	struct log *log;
	int sums; /* a file: what engines that have ended counted; -1: none */
	int next; /* an empty file for the next sums; -1: none */
	struct stats_file files[LEGACY_FILES];
	size_t count;
	size_t rows; /* of this engine */
	struct stats_file
	    *before; /* of the last engine, if it lives; or NULL */
	char package[STATS_PACKAGE_SIZE]; /* the version of the last one; "" */
};

/* Nothing is left. */
void legacy_init(struct legacy *legacy, struct log *log);

/* Gives it an empty file for the sums of engines that have ended (takes fd). */
void legacy_set_next(struct legacy *legacy, int fd);

/* Tells it of an earlier engine's file (takes fd); lives: of an engine that has
 * not ended, or whose end is not known. */
void legacy_add(struct legacy *legacy, int fd, int lives);

/* Writes to page and rows what the last engine left beside its counters, and
 * sums up for the first time.  0, or -1 with errno. */
int legacy_load(
    struct legacy *legacy, struct stats_page *page, struct stats_row *rows);

/* Sums up in the next file what the files of engines that have ended have for
 * the listeners of rows, and closes these files.  What such engines left
 * unfinished counts as orphaned or lost.  What cannot be used is logged.  0, or
 * -1 with errno; then it has what it had. */
int legacy_sum_up(struct legacy *legacy, const struct stats_page *page,
    const struct stats_row *rows);

/* Does in page and rows what administrators have told the engine before since
 * that was last read.  Returns 1 if there was something, 0 if there was not,
 * and -1 if there was not and nothing comes any more. */
int legacy_follow(
    struct legacy *legacy, struct stats_page *page, struct stats_row *rows);

/* Adds to sum what earlier engines have counted for the listener with that
 * number and name. */
void legacy_sum(
    struct legacy *legacy, size_t number, struct stats_listener *sum);

void legacy_close(struct legacy *legacy);
