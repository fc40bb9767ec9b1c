/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/tree.h"

/* Reports listeners with a name that is not valid or that an earlier one has.
 * Sets out->diagnostics.failed when there is no memory. */
void listener_names_check(struct diagnostics *out, const struct section *first);
