/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_RECEIPT_CONN_H
#define ENGINE_WORKER_RECEIPT_CONN_H

#include "engine/worker/hello.h"
#include "engine/worker/receipt_ring.h"

#include <sys/queue.h>
#include <sys/types.h>

struct event;
struct rendezvous;
struct worker;

/* A receipt connection.  Its hang-up, or the end of the process that made it,
 * is the worker's death certificate. */
struct receipt_conn {
	TAILQ_ENTRY(receipt_conn)
	entry; /* of its worker, or of the rendezvous */
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
	TAILQ_ENTRY(receipt_conn)
	offered; /* of those of the rendezvous with a board */
	struct receipt_ring board;
};

TAILQ_HEAD(link_list, receipt_conn);

/* A link of an accepted connection, which is taken.  NULL with errno, and fd
 * is closed. */
struct receipt_conn *receipt_conn_new(struct rendezvous *rendezvous, int fd);

/* Closes and frees; the worker does not hear of it. */
void receipt_conn_free(struct receipt_conn *link);

/* Reads a HELLO that has come, if there is none yet, and what follows it.  0,
 * or -1 if the link has ended without one. */
int receipt_conn_listen(struct receipt_conn *link);

/* Reads what is on its board, if there is anything.  The worker, and link, may
 * be gone afterwards. */
void receipt_conn_look(struct receipt_conn *link);

/* Reads what is left on the links of a worker that has died; they stay. */
void receipt_conn_hear_out(struct worker *worker);

/* From now on it is that worker's. */
void receipt_conn_set_worker(struct receipt_conn *link, struct worker *worker);

#endif
