/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Checks that files can be given to a user, whom text names: without root only
 * to the same user.  0, or -1 and the reason. */
int ownership_check_user(const struct ids *ids, const char *text, uint32_t uid,
    struct reason *reason);

/* Likewise for a group. */
int ownership_check_group(const struct ids *ids, const char *text, uint32_t gid,
    struct reason *reason);

/* Reports a socket-user or socket-group of a section, already read into
 * endpoint, to which no socket file can be given. */
void ownership_check_socket(struct output *out, const struct section *section,
    const struct record_endpoint *endpoint, const struct ids *ids);
