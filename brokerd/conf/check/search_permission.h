/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

#include <sys/stat.h>

/* Warns of directories on the path of a mailbox that the engine or the owner
 * cannot search; only once if the next listeners have the same one.  A
 * directory that does not exist yet causes no warning. */
void search_permission_check(struct diagnostics *out,
    const struct section *first, const struct ids *ids);

/* True if a user may search a directory with that owner, group and mode.  gid
 * RECORD_NO_ID stands for any group, if the groups of the user are not known.
 */
int search_permission_has(const struct stat *st, uint32_t uid, uint32_t gid);
