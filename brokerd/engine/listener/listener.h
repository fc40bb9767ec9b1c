/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/persistent.h"
#include "engine/listener/absence.h"
#include "engine/listener/listener_endpoint.h"
#include "engine/pool/pool.h"
#include "engine/timer.h"

struct admission;
struct channel_drain;
struct record_rule;

enum listener_state {
	LISTENER_STOPPED,  /* not started yet, or draining */
	LISTENER_OPEN,     /* accepts and hands off */
	LISTENER_WAITING,  /* no worker has room: connections wait in the
			    * kernel's queue */
	LISTENER_REFUSING, /* no worker for longer than give-up */
	LISTENER_RESTING,  /* accepting failed: tries again soon */
	LISTENER_PAUSED,   /* by an administrator: connections wait */
};

/* One named section of the configuration. */
struct listener {
	TAILQ_ENTRY(listener) entry;
	const struct listener_context *context;
	struct pool *pool;
	struct pool_user pool_user;
	struct admission *admission; /* NULL: everybody may come */
	struct stats_listener *stats;
	TAILQ_HEAD(, listener_endpoint) endpoints, unbound;
	const struct record_endpoint *record; /* of the first endpoint */
	enum listener_state state;
	uint64_t state_since_ms, started_ms;
	struct persistent_listener before, *noted; /* for later engines */
	struct absence absence;
	struct timer timer;
	struct limited_log accept_limit, refuse_limit;
};

TAILQ_HEAD(listener_list, listener);

/* A new listener without endpoints, stopped.  NULL with errno. */
struct listener *listener_new(const struct listener_context *context,
    struct pool *pool, const char *name);

/* Closes and frees. */
void listener_free(struct listener *listener);

/* Adds a socket (takes fd) with that number in the table of sockets; -1: the
 * monitor has left it out, and error is an errno.  0, or -1 with errno. */
int listener_add(struct listener *listener, struct record_endpoint *record,
    uint32_t number, int fd, int error);

/* Begins to accept.  Its endpoints are numbered anew, without those that are
 * left out. */
void listener_start(struct listener *listener);

/* Closes the sockets, except those that no other engine has, according to
 * drain: it accepts there until no connection waits.  NULL: closes all. */
void listener_stop(
    struct listener *listener, const struct channel_drain *drain);

/* True while a connection waits at one of these sockets; the others are
 * closed. */
int listener_is_served(struct listener *listener);

/* True if workers get its sockets. */
int listener_is_lent(const struct listener *listener);

/* Returns its state in one word. */
const char *listener_state_name(const struct listener *listener);

/* Stops accepting until that is revoked, also for the engines after this one;
 * connections wait in the kernel, and give-up does not count.  0, or -1 if its
 * sockets are lent. */
int listener_set_paused(struct listener *listener, int paused);

/* Does what an earlier engine was told about that. */
void listener_follow(struct listener *listener);
