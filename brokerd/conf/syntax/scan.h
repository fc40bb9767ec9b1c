/* SPDX-License-Identifier: ISC */
#ifndef CONF_SYNTAX_SCAN_H
#define CONF_SYNTAX_SCAN_H

#include "conf/output.h"
#include "conf/syntax/lines.h"

#include <stddef.h>

/*
 * The file's text, made fit for libconfuse, and what libconfuse does not tell
 * of it.
 */
struct scan {
	char *text; /* NUL-terminated; comments are blanks */
	size_t length;
	unsigned int last_line; /* of the last token */
	unsigned int open_line; /* of a section that is never closed, or 0 */
	struct lines starts;    /* first line of each section */
	struct lines spans;     /* first and last of each text with several */
	size_t span;            /* the next of those */
};

/* Scans a copy of text; what libconfuse would skip or misread becomes an error
 * in out.  0, or -1 with errno when the system failed.  scan_done() in both
 * cases. */
int scan_text(
    struct scan *scan, const char *text, size_t length, struct output *out);

void scan_done(struct scan *scan);

/* The line in which the section with that index begins. */
unsigned int scan_start(const struct scan *scan, size_t index);

/* The line in which the value begins that ends in this line, for values in
 * the order of the file: a text with several lines is forgotten when asked
 * for. */
unsigned int scan_begin(struct scan *scan, unsigned int line);

#endif
