/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECK_LISTENER_NAMES_H
#define CONF_CHECK_LISTENER_NAMES_H

#include "conf/syntax/tree.h"

/* Reports listeners without a proper name or with that of an earlier one.
 * Sets out->diagnostics.failed when there is no memory. */
void listener_names_check(struct diagnostics *out, const struct section *first);

#endif
