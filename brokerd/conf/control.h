/* SPDX-License-Identifier: ISC */
#ifndef CONF_CONTROL_H
#define CONF_CONTROL_H

#include "conf/ids.h"
#include "conf/output.h"
#include "conf/tree.h"

/* Adds the control socket, where the broker is asked and told things, to the
 * endpoints: in the run directory, always under the same name. */
void control_add(struct output *out, const struct section *top,
    const struct ids *ids, const char *rundir);

#endif
