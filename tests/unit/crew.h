/* SPDX-License-Identifier: ISC */
#ifndef UNIT_CREW_H
#define UNIT_CREW_H

#include "engine/core.h"
#include "engine/pool/pool.h"
#include "engine/pool/route.h"
#include "engine/worker/rendezvous.h"

#include "letter.h"

#include <sys/types.h>

/*
 * A pool of an engine, with a rendezvous, and workers that are this program:
 * number 0 has the mailbox "a" in the pool's directory, and so on.
 */

#define CREW_MOST 4
#define CREW_CONNECTIONS 80

struct crew {
	struct core core;
	struct watch watch;
	struct rendezvous rendezvous;
	struct pool_list pools;
	struct pool *pool;
	struct pool_user user;
	unsigned int changes; /* that user heard of */
	struct record_endpoint endpoint;
	struct stats_listener stats;
	int listener;             /* where the connections come from */
	int mailboxes[CREW_MOST]; /* -1: none */
	int links[CREW_MOST];     /* receipt connections; -1: none */
	size_t count;             /* of the connections that were made */
	int clients[CREW_CONNECTIONS];
	ino_t sockets[CREW_CONNECTIONS]; /* what identifies them */
};

/* Starts with that many mailboxes, found, whose workers have said nothing. */
void crew_init(struct crew *crew, unsigned int workers);
void crew_done(struct crew *crew);

/* The path of a worker's mailbox. */
const char *crew_path(unsigned int which);

/* Makes a mailbox; it is not looked for. */
void crew_open(struct crew *crew, unsigned int which);

/* Closes one, as the end of its process would. */
void crew_close(struct crew *crew, unsigned int which);

/* The worker of that number, NULL if the pool has none. */
struct worker *crew_worker(const struct crew *crew, unsigned int which);

/* Connects to the rendezvous.  Gives the connection. */
int crew_reach(void);

/* Lets a worker say HELLO, and opens its window; the instance is its number
 * and one. */
void crew_hello(struct crew *crew, unsigned int which, uint32_t weight);

/* Starts with workers that have said HELLO. */
void crew_init_receipted(struct crew *crew, unsigned int workers);

/* Puts new TCP connections as long as a worker has room, at most count.
 * Returns how many; the rest are closed. */
size_t crew_put(struct crew *crew, size_t count);

/* A hand-off of a new connection. */
struct handoff *crew_handoff(struct crew *crew);

/* Takes one datagram of a worker and asserts which connections it brings: a
 * digit each; "" asserts that there is none.  Closes them. */
void crew_expect(
    struct crew *crew, unsigned int which, const char *connections);

/* Asserts which connections are held, likewise. */
void crew_holds(const struct crew *crew, const char *connections);

/* True if the client sees the end of its connection. */
int crew_is_closed(const struct crew *crew, size_t connection);

/* Runs the loop until fd polls for events, for a bounded time. */
void crew_await(struct crew *crew, int fd, short events);

/* Handles what has happened already. */
void crew_settle(struct crew *crew);

#endif
