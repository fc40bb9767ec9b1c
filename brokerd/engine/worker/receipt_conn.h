/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/timer.h"
#include "engine/worker/hello.h"
#include "engine/worker/peer_process.h"
#include "engine/worker/worker_context.h"

#include <sys/queue.h>
#include <sys/types.h>

struct receipt_conn;

enum receipt_conn_state {
	RECEIPT_CONN_NEW,     /* has not said HELLO */
	RECEIPT_CONN_WAITING, /* has, but its worker is not known yet */
	RECEIPT_CONN_CLAIMED, /* belongs to a worker */
};

/* The owner of a connection is the rendezvous, and later a worker. */
struct receipt_conn_callbacks {
	/* A message came.  0, or -1 if conn has to end. */
	int (*on_message)(void *owner, struct receipt_conn *conn,
	    const unsigned char *bytes, size_t size);
	/* The ring has a receipt for count hand-offs from sequence on, which
	 * was written at given_us or later. */
	void (*on_taken)(
	    void *owner, uint64_t sequence, uint32_t count, uint64_t given_us);
	/* Nothing more has come to a claimed connection.  May free it. */
	void (*on_read)(void *owner);
	/* The process has ended, but a child has a claimed connection; on_end
	 * follows. */
	void (*on_survivor)(void *owner);
	/* The peer has hung up or died, or conn has to end.  Frees conn. */
	void (*on_end)(void *owner, struct receipt_conn *conn);
};

/* The connections of one owner, oldest first. */
struct receipt_conn_list {
	TAILQ_HEAD(receipt_conn_head, receipt_conn) head;
	size_t count;
	const struct receipt_conn_callbacks *callbacks;
	void *owner;
	struct link_share *share; /* of claimed ones; borrowed */
};

/* A receipt connection.  If it ends, or the process that made it, the worker is
 * dead. */
struct receipt_conn {
	TAILQ_ENTRY(receipt_conn) entry, resting_entry;
	struct receipt_conn_list *list;
	struct worker_context *context;
	enum receipt_conn_state state;
	struct hello hello;
	struct peer_process peer; /* of a link: after HELLO */
	int fd;
	uint32_t ledger_id;
	int is_link;      /* its other end was sent to a mailbox */
	int has_survivor; /* the peer has ended, but another process has conn */
	int rests;        /* see link_share.h */
	struct event *readable, *process_ended;
	struct timer deadline;
	struct receipt_ring ring;
};

/* Allocates *reserved for the next connection, unless that has happened.  0, or
 * -1 with ENOMEM. */
int receipt_conn_reserve(
    struct worker_context *context, struct receipt_conn **reserved);

/* A connection that was accepted; *reserved, which is NULL then.  If it cannot
 * be watched, NULL: (*reserved)->fd is fd, for the next attempt.  Takes fd. */
struct receipt_conn *receipt_conn_new(
    struct receipt_conn **reserved, int fd, struct receipt_conn_list *list);

/* The process that made the connection has ended, as another one says: soon,
 * but not before this returns, conn ends. */
void receipt_conn_expect_end(struct receipt_conn *conn);

/* The engine's end of a link, a connection whose other end is to be sent to a
 * mailbox.  Gives *out_end, that end.  NULL with errno. */
struct receipt_conn *receipt_conn_new_link(struct worker_context *context,
    struct receipt_conn_list *list, int *out_end);

/* Closes and frees, without a callback.  Accepts one that is only reserved, and
 * NULL. */
void receipt_conn_free(struct receipt_conn *conn);

/* Moves a connection that waits to the list of its worker, which owns it from
 * now on.  Answers the HELLO. */
void receipt_conn_claim(
    struct receipt_conn *conn, struct receipt_conn_list *list);

/* Reads what has come so far, the HELLO and the rest.  0, or -1 if the
 * connection has ended without a HELLO. */
int receipt_conn_catch_up(struct receipt_conn *conn);

/* Reads the ring, without on_read.  Returns the number of receipts. */
uint32_t receipt_conn_read_ring(struct receipt_conn *conn);

/* Reads what has come to a claimed connection so far, without on_read and
 * on_end.  0, or -1 if it has ended. */
int receipt_conn_read_all(struct receipt_conn *conn);

/* Frees the oldest ones beyond most.  One whose end is being handled, ending
 * (or NULL), is not counted and not freed. */
void receipt_conn_limit(struct receipt_conn_list *list, size_t most,
    const struct receipt_conn *ending);
