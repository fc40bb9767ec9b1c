/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECK_CHOWN_CHECK_H
#define CONF_CHECK_CHOWN_CHECK_H

#include "conf/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Without root nothing can be given to another user: 0, or -1 and why text,
 * which is uid, cannot own what the monitor makes. */
int chown_check_check_user(
    const struct ids *ids, const char *text, uint32_t uid, struct reason *why);

/* Likewise of a group, which gid is. */
int chown_check_check_group(
    const struct ids *ids, const char *text, uint32_t gid, struct reason *why);

/* Reports a socket-user or socket-group of the section, read into endpoint,
 * that the monitor cannot give a socket file to. */
void chown_check_check(struct output *out, const struct section *section,
    const struct record_endpoint *endpoint, const struct ids *ids);

#endif
