/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"

/* Reports each socket of out whose address is that of an earlier one, or
 * includes it or is included in it, with both locations.  Sets
 * out->diagnostics.failed when there is no memory. */
void overlap_check(struct output *out);
