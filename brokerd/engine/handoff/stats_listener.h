/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_STATS_LISTENER_H
#define ENGINE_HANDOFF_STATS_LISTENER_H

#include <stdint.h>

#define STATS_NAME_SIZE 64

/* What became of a listener's connections.  Every one that was accepted is in
 * exactly one of taken, plain, expired, died, dead, refused_*, orphaned and
 * lost, or still in held or unreceipted. */
struct stats_listener {
	char name[STATS_NAME_SIZE]; /* "": a free slot */
	uint64_t accepted;
	uint64_t taken;   /* the worker's receipt came */
	uint64_t plain;   /* sent to a worker that gives no receipts */
	uint64_t expired; /* no receipt within receipt-timeout */
	uint64_t died;    /* touched, or perhaps, by a worker that died */
	uint64_t dead;    /* the client was gone before */
	uint64_t refused_absent; /* no worker for longer than give-up */
	uint64_t refused_drain; /* the engine had to end before a worker came */
	uint64_t refused_deaths;  /* more workers died of it than allowed */
	uint64_t orphaned;        /* a worker had it when an engine died */
	uint64_t lost;            /* the engine had it when it died */
	uint64_t held;            /* gauge: accepted, and no worker has it */
	uint64_t unreceipted;     /* gauge: a worker has it, not confirmed */
	uint64_t handed_off;      /* sent, again after each return */
	uint64_t returned_death;  /* of those: the worker died */
	uint64_t returned_limit;  /* it was out of descriptors */
	uint64_t returned_denied; /* a security module said no */
	uint64_t lent;            /* sockets lent to workers */
	uint64_t accept_skipped;  /* errors that meant one connection */
	uint64_t accept_paused;   /* times that a limit stopped accepting */
	uint64_t worker_away;     /* sends that found the worker gone */
	uint64_t worker_leaving;  /* sends that found the worker leaving */
	uint64_t worker_full;     /* sends that found the mailbox full */
	uint64_t send_retried;
	uint64_t send_failed;
};

#define STATS_COUNTERS \
	((sizeof(struct stats_listener) - STATS_NAME_SIZE) / sizeof(uint64_t))

#endif
