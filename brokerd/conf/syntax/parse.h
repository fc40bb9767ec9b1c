/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/source.h"
#include "conf/syntax/tree.h"

/* Parses a configuration file, and those that it includes, into tree.  Mistakes
 * go to out; the sections before the first mistake of syntax are in tree. */
void parse_file(
    struct tree *tree, const struct source *source, struct diagnostics *out);
