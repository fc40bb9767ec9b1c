/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/bound_mailbox.h"
#include "lib/ring_writer.h"

#include "wire/link.h"

#define ENGINE_CONNS_MAX 8 /* one engine serves, others drain */

/* A receipt connection to one engine.  It stays open as long as the engine
 * lives: to the engine a hang-up means that this worker is dead. */
struct engine_conn {
	int fd;         /* -1: this entry is free */
	ino_t inode;    /* of the socket */
	uint64_t epoch; /* of the engine; 0: not known yet */
	char path[FDRECV_WIRE_PATH_MAX + 1]; /* of the rendezvous */
	int was_parents; /* the parent of this process had said HELLO there, */
	uint64_t parents_epoch; /* to this engine */
	uint64_t used;          /* uses of all when this one was used last */
	/* A loss that could not be reported, if count is not 0, and whether
	 * PAUSE or RESUME could not be sent. */
	struct fdrecv_wire_receipt unreported;
	int state_unreported;
	struct ring_writer ring;
};

struct engine_conns {
	struct engine_conn items[ENGINE_CONNS_MAX];
	uint64_t uses;
	const struct bound_mailbox *mailbox; /* borrowed */
	uint64_t instance;  /* identifies this process, random */
	uint16_t parents;   /* addressee of the parent process, or 0 */
	int has_succeeded;  /* the parent had ended at the fork's first use */
	int has_said_hello; /* for this mailbox, to any engine */
	/* A connection may have something unreported, for want of memory; or
	 * since its engine does not read, which may be hostile. */
	int has_unreported, has_unread;
	uint32_t weight;      /* share of the work, 1 to 10000 */
	uint16_t flags;       /* enum fdrecv_wire_hello_flag */
	uint32_t connections; /* that the application serves */
};

/* What *conns contains is all zero, or has the instance of the parent process.
 * 0, or -1 with errno as getrandom(2). */
int fdrecv_engine_conns_init(struct engine_conns *conns,
    const struct bound_mailbox *mailbox, uint32_t weight, uint16_t flags);

/* Says HELLO on a receipt connection (borrows fd), without waiting for the
 * engine.  0, or -1 with errno. */
int fdrecv_engine_conns_hello(struct engine_conns *conns, int fd);

/* Connects to the rendezvous at path, or with is_here to that of the same name
 * in the mailbox's run directory, and says HELLO.  NULL if that fails. */
struct engine_conn *fdrecv_engine_conns_connect(
    struct engine_conns *conns, const char *path, uint64_t epoch, int is_here);

/* The same at every rendezvous in run_dir, or in the mailbox's run directory
 * (NULL).  Returns the number of connections. */
size_t fdrecv_engine_conns_greet(
    struct engine_conns *conns, const char *run_dir);

/* The connection to the engine with this epoch, or NULL. */
struct engine_conn *fdrecv_engine_conns_find(
    struct engine_conns *conns, uint64_t epoch);

/* The connection to that engine, which has sent its other end as a link (takes
 * it): says HELLO on it.  A child of fork(2) connects to path.  NULL if that
 * fails. */
struct engine_conn *fdrecv_engine_conns_adopt(
    struct engine_conns *conns, int link, const char *path, uint64_t epoch);

/* The same as find.  If there is no connection yet, and the engine sent to
 * nobody that it knew or to another process that uses the mailbox, connects to
 * the rendezvous at path and says HELLO.  NULL if that fails: then no receipts
 * are sent. */
struct engine_conn *fdrecv_engine_conns_open(struct engine_conns *conns,
    const char *path, uint64_t epoch, uint16_t addressee);

/* True if this engine need not be told at once that a connection has ended. */
int fdrecv_engine_conns_is_lazy(
    const struct engine_conns *conns, const struct engine_conn *conn);

/* Tells the engine that the application has one hand-off, through the ring or
 * by a message.  can_wait is true if nobody waits for the engine's close. */
void fdrecv_engine_conns_confirm(struct engine_conns *conns,
    struct engine_conn *conn, uint64_t sequence, int can_wait);

/* Sends a receipt for count hand-offs from sequence on.  Never waits for the
 * engine.  A receipt that cannot be sent is dropped, which does no harm.
 * Anything else is kept. */
void fdrecv_engine_conns_send(struct engine_conns *conns,
    struct engine_conn *conn, enum fdrecv_wire_receipt_kind kind,
    uint64_t sequence, uint32_t count);

/* Sends a receipt that names no hand-off to every engine. */
void fdrecv_engine_conns_send_all(
    struct engine_conns *conns, enum fdrecv_wire_receipt_kind kind);

/* Closes those to engines that have ended, which frees descriptors. */
void fdrecv_engine_conns_close_ended(struct engine_conns *conns);

/* Closes them, except those that the program has closed. */
void fdrecv_engine_conns_close(struct engine_conns *conns);
