/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"

/* Reports listeners that share a mailbox but not its owner, and sockets whose
 * path is a mailbox or in a directory of mailboxes.  Sets
 * out->diagnostics.failed when there is no memory. */
void mailbox_conflict_check(struct output *out, const struct section *first);
