/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LIFE_ORPHAN_H
#define ENGINE_LIFE_ORPHAN_H

#include "channel/adoption.h"
#include "engine/life/drain.h"

#include <sys/types.h>

/* An engine whose monitor has died serves on, until another monitor has taken
 * the sockets from it, or for a limited time. */
struct orphan {
	struct drain *drain;
	int *fds; /* of the whole table, each borrowed from who has it */
	uint32_t count;
	uint32_t timeout_s;
	struct event *late; /* NULL: it has a monitor */
};

/* Notes a descriptor of the table (borrowed).  0, or -1 with errno. */
int orphan_add(struct orphan *orphan, int fd);

/* The monitor is gone. */
void orphan_start(struct orphan *orphan, struct drain *drain);

/* Somebody with that uid, on a rendezvous connection fd (borrowed), asks to
 * take over, see struct channel_adopt.  0, or -1: it has nothing to say or is
 * told nothing more. */
int orphan_on_adopt(struct orphan *orphan, const struct channel_adopt *adopt,
    uid_t uid, int fd);

void orphan_done(struct orphan *orphan);

#endif
