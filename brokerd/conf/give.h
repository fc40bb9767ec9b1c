/* SPDX-License-Identifier: ISC */
#ifndef CONF_GIVE_H
#define CONF_GIVE_H

#include "conf/ids.h"
#include "conf/output.h"
#include "conf/tree.h"

/* Without root nothing can be given to another user: 0, or -1 and why text,
 * which is uid, cannot own what the monitor makes. */
int give_check_user(
    const struct ids *ids, const char *text, uint32_t uid, struct why *why);

/* Likewise of a group, which gid is. */
int give_check_group(
    const struct ids *ids, const char *text, uint32_t gid, struct why *why);

/* Reports a socket-user or socket-group of the section, read into endpoint,
 * that the monitor cannot give a socket file to. */
void give_check(struct output *out, const struct section *section,
    const struct record_endpoint *endpoint, const struct ids *ids);

#endif
