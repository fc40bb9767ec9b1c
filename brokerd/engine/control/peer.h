/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/policy/effort.h"
#include "engine/timer.h"

#include <sys/queue.h>
#include <sys/types.h>

#include <stddef.h>

struct bufferevent;
struct evhttp_connection;
struct evhttp_request;
struct report;

enum peer_right {
	PEER_NOTHING,
	PEER_READ,
	PEER_CHANGE,
};

enum peer_state {
	PEER_ASKING,   /* its request is not complete, or waits */
	PEER_WAITING,  /* for the end of a reload or an upgrade */
	PEER_JOINING,  /* for a reload after that one */
	PEER_WRITING,  /* its answer is being written, step by step */
	PEER_ANSWERED, /* its answer is being sent */
};

/* All connections to the control socket, and who may use them. */
struct peer_list {
	TAILQ_HEAD(, peer) peers;
	size_t count;
	uid_t administrator;    /* besides root; RECORD_NO_ID: nobody */
	gid_t group;            /* may read; RECORD_NO_ID: there is none */
	struct effort arrivals; /* what accepting them takes */
	struct effort effort;   /* for all who may only ask */
	void (*on_removed)(void *owner); /* a peer */
	void *owner;
};

/* One connection to the control socket: one request, then it is closed. */
struct peer {
	TAILQ_ENTRY(peer) entry;
	struct peer_list *list;
	struct bufferevent *buffer; /* held until connection is known */
	struct evhttp_connection *connection; /* NULL: not known yet */
	struct evhttp_request *request;       /* NULL: none was read yet */
	struct report *report; /* its answer, being written; or NULL */
	struct timer limit;    /* for its request, or for reading the answer */
	enum peer_state state;
	/* If it waits: the message for the monitor, and how many requests of
	 * this engine that was; 0: any reload will do, see route_ask(). */
	unsigned int asks;
	uint32_t number;
	enum peer_right right;
	uid_t uid;
};

/* Adds a peer to list, for a connection that evhttp accepts, and returns its
 * buffer.  NULL: no memory. */
struct bufferevent *peer_new(struct peer_list *list, struct event_base *base);

/* The peer behind a connection that has sent a request, or NULL. */
struct peer *peer_find(
    struct peer_list *list, struct evhttp_connection *connection);

/* A peer in this state, or NULL. */
struct peer *peer_find_state(struct peer_list *list, enum peer_state state);

/* Enters a state.  Time is limited only where the peer has to do something. */
void peer_set_state(struct peer *peer, enum peer_state state);

/* Closes the connection and frees the peer. */
void peer_drop(struct peer *peer);
