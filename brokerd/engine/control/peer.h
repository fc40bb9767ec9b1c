/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_PEER_H
#define ENGINE_CONTROL_PEER_H

#include "engine/control/control.h"

struct bufferevent;
struct writer;
struct event;
struct event_base;
struct evhttp_connection;
struct evhttp_request;

#define PEER_S 5

enum control_right {
	CONTROL_NOTHING,
	CONTROL_READ,
	CONTROL_CHANGE,
};

/* One connection to the control socket: one request, then it is closed. */
struct peer {
	TAILQ_ENTRY(peer) entry;
	struct control *control;
	struct bufferevent *buffer; /* held until connection is known */
	struct evhttp_connection *connection; /* NULL: not looked at so far */
	struct evhttp_request *waiting; /* for control_on_result(), or NULL */
	struct writer *writer;          /* of its answer, or NULL */
	struct event *late;
	uid_t uid;
	enum control_right right;
	int answered;
};

/* For evhttp, which asks for a buffer for each connection that it accepts: the
 * buffer of a new peer of the control that argument is.  NULL: no memory. */
struct bufferevent *peer_new(struct event_base *base, void *argument);

/* The peer behind a connection that has sent a request, or NULL. */
struct peer *peer_find(
    struct control *control, struct evhttp_connection *connection);

/* For its request, or for taking the answer, it has so many seconds. */
void peer_allow(struct peer *peer, unsigned int seconds);

/* It has as long as it takes: the wait is for somebody else. */
void peer_wait(struct peer *peer);

/* Hangs up and frees the peer. */
void peer_drop(struct peer *peer);

/* Of control.c: accepts connections, or lets them wait in the kernel. */
void control_set_accepting(struct control *control, int accepting);

#endif
