/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECK_LISTENER_NAMES_H
#define CONF_CHECK_LISTENER_NAMES_H

#include "conf/output.h"
#include "conf/syntax/tree.h"

/* Reports listeners without a proper name or with that of an earlier one.
 * Sets out->failed when there is no memory. */
void listener_names_check(struct output *out, struct section *first);

#endif
