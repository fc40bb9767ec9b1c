/* SPDX-License-Identifier: ISC */
#ifndef CONF_SYNTAX_PARSE_ERROR_H
#define CONF_SYNTAX_PARSE_ERROR_H

#include "conf/output.h"

#include <stdarg.h>

/* Where libconfuse found an error. */
struct parse_error {
	unsigned int line;
	int in_listener;
	unsigned int last_line;    /* of the file's text */
	unsigned int open_line;    /* of a section that is never closed, or 0 */
	unsigned int section_line; /* of the section that is being read */
};

/* True if libconfuse's message is that of an unknown key. */
int parse_error_is_unknown(const char *format);

/* Reports a section that begins in that line and has no end.  Returns 0. */
int parse_error_open(struct output *out, unsigned int line);

/* Reports an error that libconfuse 3.3 states tersely, with what was expected.
 * format and ap are what it gave to the error function. */
void parse_error_report(const struct parse_error *error, struct output *out,
    const char *format, va_list ap) __attribute__((format(printf, 3, 0)));

#endif
