/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECK_MAILBOX_CONFLICT_H
#define CONF_CHECK_MAILBOX_CONFLICT_H

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"

/* Reports listeners that share a mailbox without having the same owner, and
 * endpoints that are somebody's mailbox or lie in a pool.  Sets
 * out->diagnostics.failed when there is no memory. */
void mailbox_conflict_check(struct output *out, const struct section *first);

#endif
