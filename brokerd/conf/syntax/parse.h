/* SPDX-License-Identifier: ISC */
#ifndef CONF_SYNTAX_PARSE_H
#define CONF_SYNTAX_PARSE_H

#include "conf/output.h"
#include "conf/syntax/scan.h"
#include "conf/syntax/tree.h"

/* Parses what was scanned into tree, with libconfuse.  Errors of syntax and
 * unknown keys go to out; the sections before an error of syntax are in tree.
 * Returns 1 if the whole text was read, 0 if a part was not, or -1 when the
 * system failed. */
int parse_text(struct tree *tree, struct scan *scan, struct output *out);

#endif
