/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LISTENER_LISTENER_H
#define ENGINE_LISTENER_LISTENER_H

#include "channel/channel.h"
#include "engine/policy/coalesce.h"
#include "engine/pool/pool.h"

struct event;
struct listener;

/* One bound socket of a listener. */
struct listener_endpoint {
	TAILQ_ENTRY(listener_endpoint) entry;
	struct listener *listener;
	struct record_endpoint record;
	uint32_t number; /* in the whole table */
	int fd;
	struct event *readable; /* NULL: lent, never accepted on */
	struct coalesce_lone lone;
};

enum listener_state {
	LISTENER_STOPPED,  /* not started yet, or draining */
	LISTENER_OPEN,     /* accepts and hands off */
	LISTENER_WAITING,  /* no worker has room: what comes waits in the
			    * kernel's queue */
	LISTENER_REFUSING, /* no worker for longer than give-up */
	LISTENER_RESTING,  /* a limit was reached, for a moment */
	LISTENER_PAUSED,   /* by an administrator: what comes waits */
};

/* One named section of the configuration. */
struct listener {
	TAILQ_ENTRY(listener) entry;
	struct pool_user user;
	struct core *core;
	struct pool *pool;
	struct stats_listener *stats; /* shared: its name may be anything */
	TAILQ_HEAD(, listener_endpoint) endpoints;
	const struct record_endpoint *record; /* of the first endpoint */
	enum listener_state state;
	uint64_t since_ms;  /* that state */
	uint64_t absent_ms; /* since when a connection waits for a worker to
			     * exist; 0: that clock stands still */
	struct event *timer;
	struct log_ratelimit accept_limit;
	struct log_ratelimit refuse_limit;
};

TAILQ_HEAD(listener_list, listener);

/* The listener of a name in list, or NULL; one without a socket has none. */
struct listener *listener_find(struct listener_list *list, const char *name);

/* A new listener without endpoints, stopped.  NULL with errno. */
struct listener *listener_new(
    struct core *core, struct pool *pool, const char *name);

/* Adds a bound socket; takes fd.  0, or -1 with errno. */
int listener_add(struct listener *listener,
    const struct record_endpoint *record, uint32_t number, int fd);

/* Begins to accept.  What waits is handed off as workers have room. */
void listener_start(struct listener *listener);

/* Accepts no more, but from endpoints that drain says nobody takes over (NULL:
 * there are none).  The sockets are closed. */
void listener_stop(
    struct listener *listener, const struct channel_drain *drain);

/* True while a connection waits at one of those; the others are closed. */
int listener_is_served(struct listener *listener);

/* Its state in one word. */
const char *listener_state_name(const struct listener *listener);

/* True if workers get its sockets. */
int listener_is_lent(const struct listener *listener);

/* Accepts nothing until that is taken back, also by engines to come; what
 * comes waits in the kernel, without a clock.  0, or -1 with errno: EOPNOTSUPP
 * for one whose sockets are lent. */
int listener_set_paused(struct listener *listener, int paused);

/* Refuses what was accepted and no worker had room for.  Returns how many. */
uint64_t listener_refuse_held(struct listener *listener);

void listener_free(struct listener *listener);

/* For listener_make.c, in listener.c. */
void listener_enter(struct listener *listener, enum listener_state state);
void listener_on_readable(int fd, short what, void *argument);
void listener_on_timer(int fd, short what, void *argument);
void listener_on_change(struct pool_user *user);

#endif
