/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_CONTROL_H
#define ENGINE_CONTROL_CONTROL_H

#include "engine/listener/listener.h"

#include <sys/queue.h>
#include <sys/types.h>

struct evconnlistener;
struct peer;
struct evhttp;

enum control_ask {
	CONTROL_RELOAD,
	CONTROL_UPGRADE,
};

/* Who does what the engine cannot: the monitor. */
struct control_user {
	/* Asks for it: 0, and control_on_result() will tell; or -1. */
	int (*ask)(void *argument, enum control_ask what);
	void *argument;
};

/* HTTP on a local socket.  Its parts are in control*.c. */
struct control {
	struct core *core;
	struct pool_list *pools;
	struct listener_list *listeners;
	struct control_user user;
	uid_t owner; /* besides root; RECORD_NO_ID: nobody */
	gid_t group; /* may read; RECORD_NO_ID: there is none */
	uint64_t started_ms;
	uint64_t orphan_until_ms; /* 0: the engine has a monitor */
	char path[RECORD_PATH_SIZE];
	int fd; /* of accepting */
	struct evhttp *http;
	struct evconnlistener *accepting;
	TAILQ_HEAD(, peer) peers;
	size_t peer_count;
	int stopped;
};

/* Listens on fd (takes it); pools, listeners and user as in control, which the
 * caller has filled in so far.  0, or -1 with errno; control_close() in either
 * case. */
int control_open(
    struct control *control, const struct record_endpoint *record, int fd);

/* Begins to accept: before, another engine does. */
void control_start(struct control *control);

/* What was asked for has ended: status of sysexits(3), 0 for done. */
void control_on_result(struct control *control, int status, const char *text);

/* Accepts no more; who does not wait for a result is hung up on. */
void control_stop(struct control *control);

/* True if somebody waits for an answer, or is being given one. */
int control_is_busy(const struct control *control);

/* Closes everything. */
void control_close(struct control *control);

#endif
