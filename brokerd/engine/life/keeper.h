/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/ledger.h"

#include "base/log.h"

#include <sys/types.h>

struct event;
struct event_base;

/* The keeper of an engine: a process that shares its descriptors, and so still
 * has them when the engine is killed. */
struct keeper {
	struct log *log;
	int engine, monitor, process; /* pidfds: of them and of the keeper */
	pid_t pid;
	struct event *ended;
	void (*on_end)(void *owner); /* the keeper has ended alone */
	void *owner;
};

/* Makes the keeper of this process, which calls settle first; borrows all.
 * Without one process is -1, after a line in the log. */
void keeper_start(struct keeper *keeper, struct ledger *ledger, struct log *log,
    int (*settle)(struct log *log));

/* Calls on_end once if the keeper ends while the engine lives.  0, or -1 with
 * errno. */
int keeper_watch(struct keeper *keeper, struct event_base *base,
    void (*on_end)(void *owner), void *owner);

void keeper_done(struct keeper *keeper);
