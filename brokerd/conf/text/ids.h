/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/reason.h"
#include "record/record.h"

/*
 * Users and groups: names become numbers here and nowhere else, because NSS
 * runs code that the monitor must not link.
 */

struct ids {
	int privileged; /* the monitor runs as root */
	int initial;    /* so does the whole system: no user namespace */
	struct record_ids record; /* also the uid of users without a mapping */
};

/* Fills ids from /proc, with the default user of the engine. */
void ids_init(struct ids *ids, int privileged);

/* Looks up a user by name or number.  out_gid, if not NULL, is the primary
 * group, or the same number if the number has no account.  0, or -1 and the
 * reason. */
int ids_user(const char *text, uint32_t *out_uid, uint32_t *out_gid,
    struct reason *reason);

/* Looks up a group by name or number.  0, or -1 and the reason. */
int ids_group(const char *text, uint32_t *out_gid, struct reason *reason);
