/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/repair.h"
#include "engine/timer.h"

#include <sys/types.h>

struct event;
struct event_base;
struct log;
struct rebind;
struct socket_diag;
struct stats_listener;

/* Looks whether a bound socket is still as the configuration says, and puts it
 * right.  Everything is borrowed. */
struct upkeep {
	const char *role, *name; /* for the log, one behind the other */
	const struct record_socket *sock;
	int lent;
	int takes_rights; /* clients may send descriptors (Linux 6.16) */
	int fd;
	struct log *log;
	struct rebind *rebind;
	struct socket_diag *diag;     /* or NULL */
	struct stats_listener *stats; /* or NULL */
	/* Set by upkeep_start(). */
	dev_t device;
	ino_t inode;      /* of its file; 0: none, or not known */
	uint32_t backlog; /* of a local socket; 0: none, or not known */
	int is_started;
	int is_dead; /* and reported: it must be bound anew */
	struct event *shut_down;
	struct timer look;
};

/* Looks at the socket when an engine starts.  A lent one that listens is also
 * looked at when somebody has shut it down. */
void upkeep_start(struct upkeep *upkeep, struct event_base *base,
    const struct repair_models *models);

/* Looks again.  Flags and options are put right only with models, since a
 * program that has the socket may depend on its own ones.  True if the socket
 * is usable now; else a reload was asked for. */
int upkeep_look(struct upkeep *upkeep, const struct repair_models *models);

/* Looks only whether clients can find the socket.  Returns the same; true if it
 * was stopped. */
int upkeep_look_for_file(struct upkeep *upkeep);

/* Before fd is closed. */
void upkeep_stop(struct upkeep *upkeep);
