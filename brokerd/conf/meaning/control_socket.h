/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Adds the control socket to the records: in the run directory, always under
 * the same name. */
void control_socket_add(struct output *out, const struct section *top,
    const struct ids *ids, const char *rundir);
