/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/diagnostics.h"

#include <sys/types.h>

#define SOURCE_MAX (1024 * 1024) /* bytes of a configuration file */

/* The text of a configuration file. */
struct source {
	const struct source *includer; /* NULL: the main file */
	unsigned int file;             /* its number in diagnostics */
	dev_t device;
	ino_t inode;
	char *text;  /* without NUL bytes */
	char *token; /* room for a part of the text */
};

/* Reads fd (borrows it) to its end.  Returns 1, 0 if an error was added to
 * out, or -1 with errno when the system failed; source_done() is for 1. */
int source_read(struct source *source, int fd, struct diagnostics *out);

void source_done(struct source *source);
