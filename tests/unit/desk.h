/* SPDX-License-Identifier: ISC */
#ifndef UNIT_DESK_H
#define UNIT_DESK_H

#include "engine/core.h"
#include "engine/worker/unreceipted.h"
#include "engine/worker/worker.h"

#include "letter.h"

#include <sys/types.h>

/*
 * One worker of an engine without a pool: what it tells its owner is counted.
 * Its mailbox is this program's.
 */

#define DESK_MOST 80

struct desk {
	struct core core;
	struct record_endpoint endpoint;
	struct stats_listener stats;
	struct worker *worker; /* NULL: freed */
	int mailbox;
	size_t count;             /* of the connections that were made */
	int clients[DESK_MOST];   /* their other ends */
	ino_t sockets[DESK_MOST]; /* what identifies them */
	unsigned int rooms;       /* how often there was room */
	unsigned int returns;     /* how many came back */
	unsigned int deaths;      /* how often it had died */
	struct handoff_list returned;
	struct letter letter; /* the last one */
};

/* Opens a mailbox with a worker of that kind, which may hold all. */
void desk_init(struct desk *desk, enum worker_kind kind);
void desk_done(struct desk *desk);

/* Puts count new connections, without a look whether there is room. */
void desk_put(struct desk *desk, size_t count);

/* The same, and sends them in one datagram. */
void desk_send(struct desk *desk, size_t count);

/* Takes a datagram into letter, and asserts that its descriptors are the
 * connections from first on, count of them. */
void desk_expect(struct desk *desk, size_t first, size_t count);

/* Which connection a hand-off or descriptor is. */
size_t desk_which(const struct desk *desk, int fd);

/* True if the engine has no descriptor of that connection any more. */
int desk_is_closed(const struct desk *desk, size_t which);

/* A receipted worker that has received count of them and has closed its own
 * descriptors. */
void desk_init_received(struct desk *desk, size_t count);

/* Asserts which connections are the worker's and lack a receipt: a digit 1
 * each, and 0 for those that nobody has any more. */
void desk_has(const struct desk *desk, const char *pattern);

/* Runs the loop until *counter is count, for a bounded time. */
void desk_await(
    struct desk *desk, const unsigned int *counter, unsigned int count);

/* Handles what has happened already. */
void desk_settle(struct desk *desk);

#endif
