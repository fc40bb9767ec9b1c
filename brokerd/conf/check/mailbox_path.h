/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Warns of mailboxes whose path others than root and the owner could have made
 * or can change, because the engine will not use them. */
void mailbox_path_check(struct diagnostics *out, const struct section *first,
    const struct ids *ids);
