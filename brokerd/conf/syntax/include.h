/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/source.h"

#include <glob.h>

#define INCLUDE_DEPTH 4 /* of files that include each other */

/* The files that one include statement names. */
struct include {
	const struct source *includer;
	struct location at; /* of the statement */
	struct diagnostics *out;
	glob_t files;
	size_t next;
	struct source source; /* the file that was read last */
};

/* Finds the files that match pattern, which is relative to the includer's
 * directory.  Errors go to out. */
void include_init(struct include *include, const struct source *includer,
    struct location at, const char *pattern, struct diagnostics *out);

/* Reads the next file into include->source, which is valid until the next
 * call.  Files that cannot be read are errors in out.  0: there is none. */
int include_next(struct include *include);

void include_done(struct include *include);
