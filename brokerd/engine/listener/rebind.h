/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "engine/handoff/persistent.h"
#include "engine/listener/requests.h"
#include "engine/timer.h"

/* Asks the monitor for a reload when a socket must be bound anew, which only
 * the monitor can do.  All zeros: asks nobody. */
struct rebind {
	struct requests *requests;
	struct log *log;
	struct persistent *persistent;
	struct timer ask;
	uint64_t ask_ms; /* when ask is set to */
};

/* Borrows all.  0, or -1 with ENOMEM. */
int rebind_init(struct rebind *rebind, struct event_base *base,
    struct requests *requests, struct log *log, struct persistent *persistent);

/* Asks, soon or, if engines have asked often or in vain, later.  A socket that
 * was found so at the start of this engine may be one that a reload does not
 * help. */
void rebind_ask(struct rebind *rebind, int at_start);

/* The keeper has ended, and only another engine has another one; owner is the
 * rebind. */
void rebind_on_keeper_end(void *owner);

/* Another engine takes over: it will ask. */
void rebind_stop(struct rebind *rebind);

void rebind_done(struct rebind *rebind);
