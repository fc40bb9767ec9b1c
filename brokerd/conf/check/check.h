/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECK_CHECK_H
#define CONF_CHECK_CHECK_H

#include "conf/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Adds the endpoints that nobody asked for, and checks what no listener can see
 * by itself. */
void check_all(struct output *out, const struct tree *tree,
    const struct ids *ids, const char *rundir);

#endif
