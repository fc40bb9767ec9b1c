/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/receipt_conn.h"

#include "record/record.h"

struct channel_adopt;
struct worker;

struct rendezvous_callbacks {
	/* Returns the worker that sent HELLO, or NULL; uid is the sender's,
	 * from the kernel. */
	struct worker *(*find)(
	    void *owner, const struct hello *hello, uid_t uid);
	/* A process with that uid asks for the sockets of an engine without a
	 * monitor, on fd (borrowed).  0, or -1: it gets no more. */
	int (*on_adopt)(
	    void *owner, const struct channel_adopt *adopt, uid_t uid, int fd);
	/* Any process asks for the listener of that name.  enum
	 * fdrecv_wire_answer_kind, or -1: this engine does not serve. */
	int (*describe)(void *owner, const char *name);
};

/* The socket where workers say HELLO. */
struct rendezvous {
	struct worker_context *context;
	const struct rendezvous_callbacks *callbacks;
	void *owner;
	char path[RECORD_PATH_SIZE]; /* "": not open */
	int fd;
	struct receipt_conn_list waiting; /* for their worker; oldest first */
	struct receipt_conn *reserved;    /* for the next one, or NULL */
	int repeated; /* a HELLO came for a worker that had said HELLO */
	struct event *readable;
	struct timer rest;
};

/* Prepares a rendezvous that is not open.  Its path becomes that of the
 * context. */
void rendezvous_init(struct rendezvous *rendezvous,
    struct worker_context *context,
    const struct rendezvous_callbacks *callbacks, void *owner);

/* Listens on fd (takes it), which is bound to path.  0, or -1 with errno;
 * rendezvous_close() in either case. */
int rendezvous_open(struct rendezvous *rendezvous, const char *path, int fd);

/* Closes the socket, and every connection that has no worker. */
void rendezvous_close(struct rendezvous *rendezvous);

/* Accepts and reads what has come so far. */
void rendezvous_catch_up(struct rendezvous *rendezvous);

/* A worker was found; its HELLO may have come before. */
void rendezvous_on_worker(struct rendezvous *rendezvous, struct worker *worker);
