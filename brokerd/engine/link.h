/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LINK_H
#define ENGINE_LINK_H

#include "engine/board.h"
#include "engine/hello.h"

#include <sys/queue.h>
#include <sys/types.h>

struct event;
struct rendezvous;
struct worker;

/* A receipt connection.  Its hang-up, or the end of the process that made it,
 * is the worker's death certificate. */
struct link {
	TAILQ_ENTRY(link) entry; /* of its worker, or of the rendezvous */
	struct rendezvous *rendezvous;
	struct worker *worker; /* NULL: no HELLO yet, or no such worker yet */
	struct hello hello;
	int greeted;
	uid_t uid; /* of the peer, as the kernel vouches */
	int fd;
	int process; /* pidfd of the peer, or -1 */
	struct event *readable;
	struct event *ended;
	struct event *late;
	TAILQ_ENTRY(link) offered; /* of those of the rendezvous with a board */
	struct board board;
};

TAILQ_HEAD(link_list, link);

/* A link of an accepted connection, which is taken.  NULL with errno, and fd
 * is closed. */
struct link *link_new(struct rendezvous *rendezvous, int fd);

/* Closes and frees; the worker does not hear of it. */
void link_free(struct link *link);

/* Reads a HELLO that has come, if there is none yet, and what follows it.  0,
 * or -1 if the link has ended without one. */
int link_listen(struct link *link);

/* Reads what is on its board, if there is anything.  The worker, and link, may
 * be gone afterwards. */
void link_look(struct link *link);

/* Reads what is left on the links of a worker that has died; they stay. */
void link_hear_out(struct worker *worker);

/* From now on it is that worker's. */
void link_set_worker(struct link *link, struct worker *worker);

#endif
