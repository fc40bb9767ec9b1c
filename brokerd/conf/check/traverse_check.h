/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECK_TRAVERSE_CHECK_H
#define CONF_CHECK_TRAVERSE_CHECK_H

#include "conf/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

#include <sys/stat.h>

/* Warns of directories on the way to mailboxes that the engine or the owner's
 * workers cannot pass, as far as this process sees them; once for each
 * directory in a row.  What is not there yet is no reason to. */
void traverse_check_check(
    struct output *out, const struct section *first, const struct ids *ids);

/* True if a user may pass a directory with that owner, group and mode.  gid
 * RECORD_NO_ID: any group, since nobody knows which ones he is in. */
int traverse_check_may_pass(const struct stat *st, uint32_t uid, uint32_t gid);

#endif
