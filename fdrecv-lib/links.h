/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LINKS_H
#define FDRECV_LINKS_H

#include "board.h"
#include "mailbox.h"

#include "fdrecv-wire-link.h"

#define LINKS_MAX 8 /* engines at a time: one works, the others end */

/* A receipt connection to one engine.  It stays open as long as the engine
 * lives: closing it means that this worker is dead. */
struct link {
	int fd;         /* -1: a free place */
	uint64_t epoch; /* 0: not known yet */
	char path[FDRECV_WIRE_PATH_MAX + 1];
	struct board board;
};

struct links {
	struct link items[LINKS_MAX];
	const struct mailbox *mailbox; /* borrowed */
	uint64_t instance;
	uint32_t weight;
	uint16_t flags;       /* enum fdrecv_wire_hello_flag */
	uint32_t connections; /* told with each receipt */
};

/* 0, or -1 with errno when there is no randomness. */
int fdrecv_links_init(struct links *links, const struct mailbox *mailbox,
    uint32_t weight, uint16_t flags);

/* Says HELLO to every engine that has its rendezvous in a run directory. */
void fdrecv_links_scan(struct links *links, const char *run_dir);

/* The link to the engine that has sent a datagram, after HELLO if it is a new
 * one.  NULL if it cannot be had: then no receipts are sent. */
struct link *fdrecv_links_find(
    struct links *links, const char *path, uint64_t epoch);

/* The same, if there is one already. */
struct link *fdrecv_links_known(struct links *links, uint64_t epoch);

/* Gives a receipt for one hand-off that the application has. */
void fdrecv_links_tell_taken(
    struct links *links, struct link *link, uint64_t sequence);

/* Sends a receipt for count hand-offs.  Never blocks. */
void fdrecv_links_tell(struct links *links, struct link *link,
    enum fdrecv_wire_receipt_kind kind, uint64_t sequence, uint32_t count);

/* Sends one for no hand-off to every engine. */
void fdrecv_links_tell_all(
    struct links *links, enum fdrecv_wire_receipt_kind kind);

/* In a child of fork(2): this process speaks for itself from now on. */
int fdrecv_links_renew(struct links *links);

void fdrecv_links_close(struct links *links);

#endif
