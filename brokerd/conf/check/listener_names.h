/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/tree.h"

/* Reports listeners without a proper name or with that of an earlier one.
 * Sets out->diagnostics.failed when there is no memory. */
void listener_names_check(struct diagnostics *out, const struct section *first);
