/* SPDX-License-Identifier: ISC */
#ifndef CONF_SYNTAX_LINES_H
#define CONF_SYNTAX_LINES_H

#include <stddef.h>

/* A growing array of line numbers; all zero is an empty one. */
struct lines {
	unsigned int *items;
	size_t count;
};

/* Appends a line.  0, or -1 with errno. */
int lines_push(struct lines *lines, unsigned int line);

void lines_done(struct lines *lines);

#endif
