/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_HANDOFF_H
#define ENGINE_HANDOFF_HANDOFF_H

#include "engine/handoff/stats.h"
#include "record/record.h"

#include "wire/datagram.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

struct bounded_close;

#define HANDOFF_LABEL_SIZE 256

/* One descriptor on its way to a worker, and what is told about it. */
struct handoff {
	TAILQ_ENTRY(handoff) entry;
	const struct record_endpoint *endpoint; /* lives as long as engine */
	struct stats_listener *stats;
	struct bounded_close *bounded; /* closes fd */
	int fd;
	int sent;          /* once: a worker may hold it too */
	int calmed;        /* or its worker is trusted: close(2) goes at once */
	uint64_t sequence; /* of the worker that has it now */
	uint64_t sent_us;
	unsigned int redeliveries; /* times that it came back */
	unsigned int deaths;       /* of workers that were at it */
	uint64_t accept_time_ns;
	uint64_t cookie; /* of a lent socket, else 0 */
	socklen_t peer_length;
	socklen_t local_length;
	int has_credentials;
	struct ucred credentials; /* of a local client */
	size_t label_length;
	/* From here on as much as the lengths say: it is a lot. */
	struct sockaddr_storage peer;
	struct sockaddr_storage local;
	char label[HANDOFF_LABEL_SIZE];
};

TAILQ_HEAD(handoff_list, handoff);

/* A new hand-off of a connection (takes fd) whose peer accept4(2) told, or
 * NULL with errno. */
struct handoff *handoff_new(const struct record_endpoint *endpoint,
    struct stats_listener *stats, struct bounded_close *bounded, int fd,
    const struct sockaddr_storage *peer, socklen_t peer_length);

/* Counts, closes and frees those of at most FDRECV_WIRE_BATCH_MAX whose client
 * sent a reset while it waited: accept(2) hands them out all the same, but
 * there is nobody to serve.  Returns how many. */
size_t handoff_drop_dead(struct handoff_list *list);

/* A new hand-off of the bound socket itself (borrows fd), or NULL with
 * errno. */
struct handoff *handoff_new_lent(const struct record_endpoint *endpoint,
    struct stats_listener *stats, int fd);

/* Turns lingering off, where it would make close(2) wait.  True if it did. */
int handoff_calm(struct handoff *handoff);

/* Closes the connection, which nobody can make wait, and frees.  A lent socket
 * is not closed: it was borrowed. */
void handoff_free(struct handoff *handoff);

#endif
