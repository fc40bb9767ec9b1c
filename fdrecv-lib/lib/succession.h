/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/engine_conns.h"

/* In a child of fork(2): replaces the parent's connections by new ones, as
 * another instance, and finds out whether the parent has ended. */
void fdrecv_succession_begin(struct engine_conns *conns);

/* True if the engine with that epoch sent a datagram to a process that has
 * ended without sharing the mailbox with this one. */
int fdrecv_succession_is_for_dead(
    const struct engine_conns *conns, uint64_t epoch, uint16_t addressee);

/* Tells that engine that nobody has read these hand-offs.  It may not have
 * answered this process yet. */
void fdrecv_succession_return(struct engine_conns *conns, uint64_t epoch,
    uint64_t sequence, uint32_t count);
