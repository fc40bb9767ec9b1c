/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/persistent.h"

/* The counters of a listener.  Each connection that was accepted is in exactly
 * one of taken, plain, expired, died, dead, refused_*, orphaned and lost, or
 * still in held or unreceipted. */
struct stats_listener {
	char name[RECORD_LISTENER_SIZE];
	uint64_t accepted;
	uint64_t taken;           /* the worker's receipt came */
	uint64_t plain;           /* sent to a worker that sends no receipts */
	uint64_t expired;         /* no receipt within receipt-timeout */
	uint64_t died;            /* its worker died and may have touched it */
	uint64_t dead;            /* its client was gone before it was sent */
	uint64_t refused_absent;  /* no worker for longer than give-up */
	uint64_t refused_drain;   /* the engine ended before a worker came */
	uint64_t refused_deaths;  /* more workers died of it than allowed */
	uint64_t refused_denied;  /* allow and deny do not let it in */
	uint64_t refused_open;    /* its source has max-per-source open */
	uint64_t refused_rate;    /* its source made rate-per-source */
	uint64_t refused_share;   /* its source has too many that wait */
	uint64_t orphaned;        /* a worker had it when an engine died */
	uint64_t lost;            /* the engine had it when it died */
	uint64_t held;            /* gauge: accepted, and no worker has it */
	uint64_t unreceipted;     /* gauge: a worker has it, without receipt */
	uint64_t handed_off;      /* sent, again after each return */
	uint64_t plain_died;      /* of plain: the worker died, maybe before it
				   * read them */
	uint64_t returned_death;  /* of these: the worker died */
	uint64_t returned_limit;  /* the worker was out of descriptors */
	uint64_t returned_denied; /* a security module refused it */
	uint64_t returned_engine; /* of lost: the next engine got them */
	uint64_t returned_sent;   /* of orphaned: the worker died as well */
	uint64_t lent;            /* sockets lent to workers */
	uint64_t repaired;        /* times that a socket was put right */
	uint64_t accept_skipped;  /* errors that meant one connection */
	uint64_t accept_paused;   /* times that a limit stopped accepting */
	uint64_t worker_away;     /* sends that found the worker gone */
	uint64_t worker_leaving;  /* sends that found the worker leaving */
	uint64_t worker_full;     /* sends that found the mailbox full */
	uint64_t send_retried;
	uint64_t send_failed;
};

#define STATS_COUNTERS                                            \
	((sizeof(struct stats_listener) - RECORD_LISTENER_SIZE) / \
	    sizeof(uint64_t))

/* What an engine leaves to the next one about a listener. */
struct stats_row {
	struct stats_listener counters;
	struct persistent_listener state;
};
