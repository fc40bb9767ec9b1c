/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Without root nothing can be given to another user: 0, or -1 and the reason
 * text, which is uid, cannot own what the monitor makes. */
int ownership_check_user(const struct ids *ids, const char *text, uint32_t uid,
    struct reason *reason);

/* Likewise of a group, which gid is. */
int ownership_check_group(const struct ids *ids, const char *text, uint32_t gid,
    struct reason *reason);

/* Reports a socket-user or socket-group of the section, read into endpoint,
 * that the monitor cannot give a socket file to. */
void ownership_check_socket(struct output *out, const struct section *section,
    const struct record_endpoint *endpoint, const struct ids *ids);
