/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

#include <sys/stat.h>

/* Warns of directories on the way to mailboxes that the engine or the owner's
 * workers cannot pass, as far as this process sees them; once for each
 * directory in a row.  What is not there yet is no reason to. */
void search_permission_check(struct diagnostics *out,
    const struct section *first, const struct ids *ids);

/* True if a user may pass a directory with that owner, group and mode.  gid
 * RECORD_NO_ID: any group, since nobody knows which ones he is in. */
int search_permission_has(const struct stat *st, uint32_t uid, uint32_t gid);
