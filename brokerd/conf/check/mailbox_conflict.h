/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"

/* Reports listeners that share a mailbox without having the same owner, and
 * endpoints that are somebody's mailbox or lie in a pool.  Sets
 * out->diagnostics.failed when there is no memory. */
void mailbox_conflict_check(struct output *out, const struct section *first);
