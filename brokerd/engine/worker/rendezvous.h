/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_RENDEZVOUS_H
#define ENGINE_WORKER_RENDEZVOUS_H

#include "engine/worker/receipt_conn.h"

#include "channel/adoption.h"
#include "record/record.h"

struct core;
struct event;

/* Who knows the workers: the engine. */
struct rendezvous_user {
	/* The worker of whom a HELLO speaks, or NULL; uid is its sender's. */
	struct worker *(*find)(
	    void *argument, const struct hello *hello, uid_t uid);
	/* A new monitor, or who says so, asks on fd (borrowed).  -1: no. */
	int (*adopt)(void *argument, const struct channel_adopt *adopt,
	    uid_t uid, int fd);
	void *argument;
};

/* The socket where workers say HELLO. */
struct rendezvous {
	struct core *core;
	struct rendezvous_user user;
	char path[RECORD_PATH_SIZE];
	int fd;
	struct link_list links; /* without a worker yet, oldest first */
	size_t link_count;
	struct link_list boards; /* links that have one */
	size_t board_count;
	int watching; /* them: rendezvous_look() is called soon */
	struct event *readable;
	struct event *rested;
};

/* Listens on fd (takes it).  0, or -1 with errno; rendezvous_close() in either
 * case. */
int rendezvous_open(struct rendezvous *rendezvous, struct core *core,
    const struct record_rendezvous *record, int fd,
    const struct rendezvous_user *user);

/* Closes the socket and every link that has no worker. */
void rendezvous_close(struct rendezvous *rendezvous);

/* Reads now what would be read soon. */
void rendezvous_catch_up(struct rendezvous *rendezvous);

/* Its path, "" for NULL. */
const char *rendezvous_path(const struct rendezvous *rendezvous);

/* Says on every board whether rendezvous_look() will be called soon. */
void rendezvous_watch(struct rendezvous *rendezvous, int watching);

/* Reads what workers have written on their boards. */
void rendezvous_look(struct rendezvous *rendezvous);

/* Offers the worker of a link a board. */
void rendezvous_offer(struct rendezvous *rendezvous, struct receipt_conn *link);

/* A link has said HELLO. */
void rendezvous_on_hello(
    struct rendezvous *rendezvous, struct receipt_conn *link);

/* A worker was found: its process may have said HELLO already. */
void rendezvous_on_worker(struct rendezvous *rendezvous, struct worker *worker);

#endif
