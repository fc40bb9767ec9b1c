/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LIB_ENGINE_CONNS_H
#define FDRECV_LIB_ENGINE_CONNS_H

#include "lib/bound_mailbox.h"
#include "lib/ring_writer.h"

#include "wire/link.h"

#define LINKS_MAX 8 /* engines at a time: one works, the others end */

/* A receipt connection to one engine.  It stays open as long as the engine
 * lives: closing it means that this worker is dead. */
struct engine_conn {
	int fd;         /* -1: a free place */
	uint64_t epoch; /* 0: not known yet */
	char path[FDRECV_WIRE_PATH_MAX + 1];
	struct ring_writer board;
};

struct engine_conns {
	struct engine_conn items[LINKS_MAX];
	const struct bound_mailbox *mailbox; /* borrowed */
	uint64_t instance;
	uint32_t weight;
	uint16_t flags;       /* enum fdrecv_wire_hello_flag */
	uint32_t connections; /* told with each receipt */
};

/* 0, or -1 with errno when there is no randomness. */
int fdrecv_engine_conns_init(struct engine_conns *links,
    const struct bound_mailbox *mailbox, uint32_t weight, uint16_t flags);

/* Says HELLO to every engine that has its rendezvous in a run directory. */
void fdrecv_engine_conns_scan(struct engine_conns *links, const char *run_dir);

/* The link to the engine that has sent a datagram, after HELLO if it is a new
 * one.  NULL if it cannot be had: then no receipts are sent. */
struct engine_conn *fdrecv_engine_conns_find(
    struct engine_conns *links, const char *path, uint64_t epoch);

/* The same, if there is one already. */
struct engine_conn *fdrecv_engine_conns_known(
    struct engine_conns *links, uint64_t epoch);

/* Gives a receipt for one hand-off that the application has. */
void fdrecv_engine_conns_tell_taken(
    struct engine_conns *links, struct engine_conn *link, uint64_t sequence);

/* Sends a receipt for count hand-offs.  Never blocks. */
void fdrecv_engine_conns_tell(struct engine_conns *links,
    struct engine_conn *link, enum fdrecv_wire_receipt_kind kind,
    uint64_t sequence, uint32_t count);

/* Sends one for no hand-off to every engine. */
void fdrecv_engine_conns_tell_all(
    struct engine_conns *links, enum fdrecv_wire_receipt_kind kind);

/* In a child of fork(2): this process speaks for itself from now on. */
int fdrecv_engine_conns_renew(struct engine_conns *links);

void fdrecv_engine_conns_close(struct engine_conns *links);

#endif
