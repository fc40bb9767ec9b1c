/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "conf/text/reason.h"

#include <stddef.h>

/* Errors and warnings of the configuration, with their locations. */

#define DIAGNOSTICS_MAX 9000     /* more are only counted */
#define DIAGNOSTICS_WARNINGS 100 /* of these */
#define DIAGNOSTICS_FILES 1001   /* the main file and those that it includes */

/* A line of a file.  Line 0 is none: the whole file or the command line. */
struct location {
	unsigned int file; /* in the order of reading, 0: the main one */
	unsigned int line;
};

#define LOCATION_NONE ((struct location){0, 0})

/* A location for people to read. */
struct location_text {
	char text[200];
};

struct diagnostic {
	struct location at;
	size_t order; /* in which they were found */
	int warning;
	char text[REASON_SIZE];
};

/* All zeros: none. */
struct diagnostics {
	struct diagnostic *items;
	size_t count;
	size_t room;
	size_t hidden;  /* for which there was no room */
	size_t errors;  /* of all */
	size_t passing; /* of these: the configuration may be right */
	int failed;     /* the system failed: no memory */
	char *files[DIAGNOSTICS_FILES];
	size_t file_count;
	size_t include_count; /* statements that name files */
	uint64_t include_us;  /* how long it took to find the files */
};

void diagnostics_done(struct diagnostics *diagnostics);

/* Adds a file, the main one first, or "command line".  Returns its number, or
 * -1: there are DIAGNOSTICS_FILES, or no memory, and failed is set. */
int diagnostics_add_file(struct diagnostics *diagnostics, const char *name);

void diagnostics_error(struct diagnostics *diagnostics, struct location at,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds an error that may be gone the next time, although nobody has changed the
 * configuration. */
void diagnostics_passing(struct diagnostics *diagnostics, struct location at,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds "subject: reason" as an error, or notes that the system failed. */
void diagnostics_reason(struct diagnostics *diagnostics, struct location at,
    const char *subject, const struct reason *reason);

/* Adds a warning: the configuration is suspicious, but can be used. */
void diagnostics_warning(struct diagnostics *diagnostics, struct location at,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "line 7", or "FILE:7" if that is another file than from. */
struct location_text diagnostics_locate(const struct diagnostics *diagnostics,
    struct location at, struct location from);

/* Writes each to the log, sorted by location, as FILE:LINE: TEXT, or
 * FILE: TEXT if it has no line. */
void diagnostics_write(struct diagnostics *diagnostics, struct log *log);
