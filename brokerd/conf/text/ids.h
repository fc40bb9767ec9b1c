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
	struct record_ids record;
};

/* What /proc says of uids, with the default user of the engine. */
void ids_init(struct ids *ids, int privileged);

/* A user's name or number.  out_gid, if not NULL: the primary group, or the
 * same number if the number has no account.  0, or -1 and the reason. */
int ids_user(const char *text, uint32_t *out_uid, uint32_t *out_gid,
    struct reason *reason);

/* A group's name or number.  0, or -1 and the reason. */
int ids_group(const char *text, uint32_t *out_gid, struct reason *reason);

/* True if the owner is the uid that stands for every user without a mapping:
 * anybody's mailbox then looks like this owner's. */
int ids_is_overflow(const struct ids *ids, uint32_t owner);
