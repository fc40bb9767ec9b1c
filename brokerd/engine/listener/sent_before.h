/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/handoff.h"
#include "engine/timer.h"

#include <sys/queue.h>

#include <stddef.h>

struct pool;

/* A receipt connection that a worker has to an engine that is dead. */
struct sent_peer {
	TAILQ_ENTRY(sent_peer) entry;
	uint64_t cookie; /* SO_COOKIE: each has many connections */
	int fd;
	uint32_t ledger_id;
	TAILQ_HEAD(, sent_connection) connections;
	size_t count; /* of these */
	int has_ended;
};

struct sent_connection {
	TAILQ_ENTRY(sent_connection) entry;
	TAILQ_ENTRY(sent_connection) peer_entry;
	struct handoff *handoff;
	struct pool *pool;
	struct sent_peer *peer; /* NULL: the worker is dead */
	uint64_t until_us;
	int taken; /* its receipt has come */
	int lost;  /* the worker could not receive it */
};

/* Connections that an engine which has died had sent to workers, and had no
 * receipt for.  Receipts in a ring are lost, so the kernel is asked, too. */
struct sent_before {
	TAILQ_HEAD(, sent_connection) connections;
	size_t count; /* of these */
	TAILQ_HEAD(sent_peer_list, sent_peer) peers;
	size_t peer_count;
	struct bounded_close *bounded; /* borrowed */
	struct timer look;
	uint64_t look_us; /* until the next look */
	/* Memory for the next ones. */
	struct sent_connection *reserved;
	struct sent_peer *reserved_peer;
	size_t looked; /* at so many, in parts */
	uint64_t rest_until_us;
};

/* None so far; borrows all.  0, or -1 with ENOMEM. */
int sent_before_init(struct sent_before *sent, struct event_base *base,
    struct bounded_close *bounded);

/* Allocates memory for the next connection unless it is there: to be called
 * before one is received.  0, or -1 with ENOMEM. */
int sent_before_reserve(struct sent_before *sent);

/* Adds a connection (takes both), for which there is memory, and the dead
 * engine's receipt connection, which may be anything, or -1 if the worker has
 * died.  When the worker is dead and has not touched it, others of the pool get
 * it; when it cannot be told any more, or after receipt-timeout, it is closed
 * here. */
void sent_before_add(struct sent_before *sent, struct handoff *handoff,
    struct pool *pool, int peer);

/* Closes all. */
void sent_before_done(struct sent_before *sent);
