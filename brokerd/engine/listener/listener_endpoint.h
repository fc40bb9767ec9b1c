/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/fd_reserve.h"
#include "engine/handoff/persistent.h"
#include "engine/handoff/refuse.h"
#include "engine/handoff/stats.h"
#include "engine/listener/socket_queue.h"
#include "engine/listener/untaken.h"
#include "engine/listener/upkeep.h"
#include "engine/policy/coalesce.h"

#include <sys/queue.h>

#include <stdint.h>

struct event;
struct handoff;

/* What listeners use.  All of it is borrowed. */
struct listener_context {
	struct event_base *base;
	struct log *log;
	struct stats *stats;
	struct persistent *persistent;
	struct refusals *refusals;
	struct bounded_close *bounded;
	struct fd_reserve *reserve;
	struct handoff **reserved; /* for the next connection */
	struct coalesce_load *load;
	struct rebind *rebind;
	struct socket_diag *diag; /* or NULL, as census */
	struct socket_census *census;
	const struct repair_models *models;
};

/* One socket of a listener. */
struct listener_endpoint {
	TAILQ_ENTRY(listener_endpoint) entry;
	const struct listener_context *context;
	struct record_endpoint *record; /* borrowed; private to this engine */
	uint32_t number;                /* in the table of sockets */
	int fd;                         /* -1: closed, or not bound */
	int error;                      /* an errno: why it is not bound */
	struct event *readable;         /* NULL: lent or closed */
	struct untaken untaken;         /* if it is lent */
	struct upkeep upkeep;
	struct socket_queue queue; /* as it was when last asked */
	struct coalesce_lone lone;
	/* A connection waits. */
	void (*on_readable)(void *owner, struct listener_endpoint *endpoint);
	void *owner;
};

/* An endpoint that does not accept yet (takes fd).  If fd is -1 it could not be
 * bound, and nobody waits for it: error is an errno.  NULL with errno. */
struct listener_endpoint *listener_endpoint_new(
    const struct listener_context *context, struct record_endpoint *record,
    uint32_t number, int fd, int error);

/* Sets its number among those of its listener that are bound.  Most records are
 * right already; one that is written to is no longer shared with the monitor.
 */
void listener_endpoint_number(
    struct listener_endpoint *endpoint, uint32_t index, uint32_t count);

/* The reason why it is not bound. */
const char *listener_endpoint_error(const struct listener_endpoint *endpoint);

/* Closes and frees. */
void listener_endpoint_free(struct listener_endpoint *endpoint);

/* Starts or stops calling on_readable; for a lent one, starts untaken.  0, or
 * -1 with errno. */
int listener_endpoint_set_accepting(
    struct listener_endpoint *endpoint, int accepting);

/* True if a connection waits. */
int listener_endpoint_is_waited_for(const struct listener_endpoint *endpoint);

/* Asks the kernel about its queue, and looks for its file.  Returns what
 * untaken_ask() returns. */
uint64_t listener_endpoint_ask(struct listener_endpoint *endpoint);

void listener_endpoint_close(struct listener_endpoint *endpoint);
