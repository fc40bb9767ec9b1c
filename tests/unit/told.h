/* SPDX-License-Identifier: ISC */
#ifndef UNIT_TOLD_H
#define UNIT_TOLD_H

#include "conf/output.h"

/*
 * What the config reader has to say, compared with what it should.
 */

/* Asserts that out has one diagnostic and no other: of that line, and
 * beginning with text, which begins with "warning: " for one that is no error.
 * NULL: that there is none.  what is for the message. */
void told_check(const struct output *out, unsigned int line, const char *text,
    const char *what);

/* Asserts the same of one diagnostic among others. */
void told_has(const struct output *out, unsigned int line, const char *text,
    const char *what);

#endif
