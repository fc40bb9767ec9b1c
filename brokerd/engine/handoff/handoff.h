/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/stats.h"
#include "record/record.h"

#include "wire/datagram.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

struct bounded_close;

#define HANDOFF_LABEL_SIZE 256

/* Whether the client of a connection has sent a reset. */
enum handoff_client {
	HANDOFF_CLIENT_UNKNOWN, /* it may have: the connection waited */
	HANDOFF_CLIENT_PRESENT,
	HANDOFF_CLIENT_GONE,
};

/* One descriptor on its way to a worker, and what its record says. */
struct handoff {
	TAILQ_ENTRY(handoff) entry;
	const struct record_endpoint *endpoint; /* borrowed */
	struct stats_listener *stats;
	struct bounded_close *bounded; /* closes fd */
	int fd;
	enum handoff_client client;
	int sent;           /* at least once: a worker may share it */
	int linger_checked; /* SO_LINGER does not make close(2) wait, or its
			     * worker is trusted */
	uint64_t sequence;  /* of its worker's hand-offs */
	uint64_t sent_us;
	unsigned int redeliveries; /* times that it came back */
	unsigned int deaths;       /* of workers that were serving it */
	unsigned int returns;      /* times that an engine died that had it */
	uint64_t accept_time_ns;
	uint64_t cookie; /* of a lent socket, else 0 */
	socklen_t peer_length;
	socklen_t local_length;
	int has_credentials;
	struct ucred credentials; /* of a local client */
	size_t label_length;
	/* Not initialized beyond their lengths: that would take long. */
	struct sockaddr_storage peer;
	struct sockaddr_storage local;
	char label[HANDOFF_LABEL_SIZE];
};

TAILQ_HEAD(handoff_list, handoff);

/* Allocates memory for the next hand-off in *reserved unless it is there: to be
 * called before a connection is accepted, which could not be kept otherwise.
 * 0, or -1 with ENOMEM. */
int handoff_reserve(struct handoff **reserved);

/* A new hand-off of a connection (takes fd), with the peer from accept4(2).
 * Uses the memory in *reserved, which becomes NULL.  NULL with ENOMEM, but only
 * if there was none. */
struct handoff *handoff_new(struct handoff **reserved,
    const struct record_endpoint *endpoint, struct stats_listener *stats,
    struct bounded_close *bounded, int fd, const struct sockaddr_storage *peer,
    socklen_t peer_length);

/* A new hand-off of the bound socket itself (borrows fd).  NULL with
 * ENOMEM. */
struct handoff *handoff_new_lent(const struct record_endpoint *endpoint,
    struct stats_listener *stats, int fd);

/* Turns SO_LINGER off if it would make close(2) wait.  True if it would. */
int handoff_stop_linger(struct handoff *handoff);

/* Frees it and closes its connection, in a limited time.  A lent socket stays
 * open. */
void handoff_free(struct handoff *handoff);

/* Frees all hand-offs of a list likewise. */
void handoff_free_list(struct handoff_list *list);
