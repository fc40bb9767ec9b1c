/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include <stddef.h>
#include <stdint.h>

#define STATS_NAME_SIZE 64

/* What became of a listener's connections.  Every one that was accepted is in
 * exactly one of handed_off, dead and refused_*, or still in held. */
struct stats_listener {
	char name[STATS_NAME_SIZE]; /* "": a free slot */
	uint64_t accepted;
	uint64_t handed_off;
	uint64_t dead;           /* the client had reset it before */
	uint64_t refused_absent; /* no worker for longer than give-up */
	uint64_t refused_drain; /* the engine had to end before a worker came */
	uint64_t held;          /* gauge: accepted, and no worker has it */
	uint64_t lent;          /* sockets lent to workers */
	uint64_t accept_skipped; /* errors that meant one connection */
	uint64_t accept_paused;  /* times that a limit stopped accepting */
	uint64_t worker_away;    /* sends that found the worker gone */
	uint64_t worker_leaving; /* sends that found the worker leaving */
	uint64_t worker_full;    /* sends that found the mailbox full */
	uint64_t send_retried;
	uint64_t send_failed;
};

/* The counters, in memory that outlives the engine. */
struct stats {
	struct stats_listener *slots;
	size_t count;
	size_t size; /* of the mapping, 0: none */
};

/* Maps the memory behind fd (borrowed).  Contents of another layout start
 * anew.  0, or -1 with errno. */
int stats_open(struct stats *stats, int fd);

/* The slot of a listener, a new one if it has none.  NULL when all are taken,
 * with ENOSPC. */
struct stats_listener *stats_find(struct stats *stats, const char *name);

void stats_close(struct stats *stats);

#endif
