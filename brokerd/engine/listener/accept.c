/* SPDX-License-Identifier: ISC */
/*
 * Accepting.  Engine, unprivileged.  The kernel's accept queue is the only
 * queue: a connection is accepted when a worker has room for it, and not
 * before.
 */
#include "engine/listener/accept.h"

#include "base/clock.h"
#include "engine/handoff/ledger.h"
#include "engine/handoff/limited_log.h"
#include "engine/listener/admission.h"
#include "engine/listener/listener.h"
#include "engine/policy/errors.h"
#include "engine/pool/dispatch.h"

#include <sys/socket.h>

#include <errno.h>

/* A worker begins at once with the connections of the first round.  Later ones
 * are larger, so that each connection costs less. */
#define ACCEPT_FIRST 4U
#define ACCEPT_CALL_US 5 /* that accept4(2) takes */

static void
accept_refuse(
    struct listener *listener, struct listener_endpoint *endpoint, int fd)
{
	listener->stats->refused_absent++;
	refuse_connection(listener->context->refusals, endpoint->record, fd);
	limited_log_line(&listener->refuse_limit, listener->context->log,
	    LOG_WARNING,
	    "listener %s: refused a connection: no worker for %u s: "
	    "refusing until there is one",
	    listener->record->listener, listener->record->give_up_s);
}

static enum accept_end
accept_on_error(struct listener *listener)
{
	switch (errors_of_accept(errno)) {
	case ERRORS_ACCEPT_EMPTY:
		return ACCEPT_EMPTY;
	case ERRORS_ACCEPT_SKIP:
		listener->stats->accept_skipped++;
		return ACCEPT_MORE;
	case ERRORS_ACCEPT_PAUSE:
		return ACCEPT_LIMIT;
	case ERRORS_ACCEPT_BROKEN:
		break;
	}
	return ACCEPT_BROKEN;
}

/* Returns the hand-off of a connection (takes fd), for which there is
 * memory. */
static struct handoff *
accept_hold(struct listener *listener, struct listener_endpoint *endpoint,
    int fd, const struct sockaddr_storage *peer, socklen_t peer_length)
{
	const struct listener_context *context = listener->context;
	struct handoff *handoff =
	    handoff_new(context->reserved, endpoint->record, listener->stats,
		context->bounded, fd, peer, peer_length);

	ledger_hold(context->bounded->ledger, handoff);
	listener->stats->accepted++; /* or the next engine counts it */
	return handoff;
}

static struct effort *
accept_effort(const struct listener *listener)
{
	const struct pool *pool = listener->pool;

	return effort_for(
	    &pool->context->workers->quotas->efforts, pool->finder.uid);
}

/* Lets a connection (takes fd) wait for its turn, or refuses it. */
static void
accept_admit(struct listener *listener, struct listener_endpoint *endpoint,
    int fd, const struct sockaddr_storage *peer, socklen_t peer_length)
{
	uint64_t begun_us = clock_us();
	struct source_entry *source =
	    admission_judge(listener->admission, endpoint->record, fd, peer);

	if (source == NULL) {
		listener->stats->accepted++;
		refuse_connection(
		    listener->context->refusals, endpoint->record, fd);
		effort_add(accept_effort(listener), begun_us - ACCEPT_CALL_US,
		    clock_us());
		return;
	}
	admission_wait(listener->admission, source,
	    accept_hold(listener, endpoint, fd, peer, peer_length));
}

/* Accepts one connection for that worker; NULL: to be refused or admitted. */
static enum accept_end
accept_one(struct listener *listener, struct listener_endpoint *endpoint,
    struct worker *worker)
{
	const struct listener_context *context = listener->context;
	struct handoff *handoff;
	struct sockaddr_storage peer;
	socklen_t peer_length = sizeof(peer);
	/* Without O_NONBLOCK, as the worker gets the same open file and may be
	 * a simple program that reads and writes.  The engine never waits for a
	 * connection. */
	int fd = accept4(
	    endpoint->fd, (struct sockaddr *)&peer, &peer_length, SOCK_CLOEXEC);

	if (fd == -1)
		return accept_on_error(listener);
	ledger_accept(context->bounded->ledger, fd);
	context->reserve->last = fd;
	context->load->count.accepted++;
	if (worker != NULL) {
		handoff =
		    accept_hold(listener, endpoint, fd, &peer, peer_length);
		if (endpoint->lone.none_waits)
			handoff->client = HANDOFF_CLIENT_PRESENT;
		dispatch_put(listener->pool, worker, handoff);
	} else if (listener->state == LISTENER_REFUSING) {
		listener->stats->accepted++;
		accept_refuse(listener, endpoint, fd);
	} else {
		accept_admit(listener, endpoint, fd, &peer, peer_length);
	}
	return ACCEPT_MORE;
}

/* True if one may be accepted: what waits already goes first. */
static int
accept_has_room(struct listener *listener, struct listener_endpoint *endpoint)
{
	struct admission *admission = listener->admission;

	if (admission_has_room(admission))
		return 1;
	admission_serve(admission);
	return admission_has_room(admission) ||
	    (admission_is_empty(admission) &&
		dispatch_pick(listener->pool, endpoint->record) != NULL);
}

static enum accept_end
accept_next(struct listener *listener, struct listener_endpoint *endpoint)
{
	struct worker *worker = NULL;

	if (!fd_reserve_is_left(listener->context->reserve)) {
		errno = EMFILE;
		return ACCEPT_LIMIT;
	}
	if (handoff_reserve(listener->context->reserved) == -1 ||
	    admission_reserve(listener->admission) == -1)
		return ACCEPT_LIMIT;
	if (listener->state == LISTENER_REFUSING)
		return accept_one(listener, endpoint, NULL);
	if (listener->admission == NULL)
		worker = dispatch_pick(listener->pool, endpoint->record);
	if (worker == NULL &&
	    (listener->admission == NULL ||
		!accept_has_room(listener, endpoint)))
		return ACCEPT_NO_ROOM;
	return accept_one(listener, endpoint, worker);
}

static enum accept_end
accept_some(
    struct listener *listener, struct listener_endpoint *endpoint, int number)
{
	unsigned int most = ACCEPT_FIRST << number;
	unsigned int tried = coalesce_next_round(
	    &endpoint->lone, most, listener->context->load->pausing);
	struct worker_context *workers = listener->pool->context->workers;
	enum accept_end end = ACCEPT_MORE;
	unsigned int count = 0;
	int error;

	/* The next connections are sent before others are closed. */
	unreceipted_delay_closing(&workers->closing);
	receipt_ring_list_look(&workers->rings, clock_us());
	while (count < tried &&
	    (end = accept_next(listener, endpoint)) == ACCEPT_MORE)
		count++;
	error = errno;
	admission_serve(listener->admission);
	dispatch_send(listener->pool);
	unreceipted_continue_closing(&workers->closing);
	coalesce_on_round(&endpoint->lone, tried, count);
	errno = error;
	return end == ACCEPT_MORE && count < most ? ACCEPT_EMPTY : end;
}

/* Clients may come and be refused without end, at all listeners of an owner:
 * all of them together get a tenth of the time.  True if that is used up. */
static int
accept_rests(struct listener *listener, const struct effort *effort)
{
	uint64_t rest_us = effort_rest_us(effort, clock_us());
	struct listener_endpoint *endpoint;

	if (rest_us == 0)
		return 0;
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
		listener_endpoint_set_accepting(endpoint, 0);
	timer_set(&listener->timer, rest_us);
	return 1;
}

enum accept_end
accept_round(
    struct listener *listener, struct listener_endpoint *endpoint, int number)
{
	enum accept_end end;
	struct effort *effort;
	uint64_t begun_us;

	if (listener->state != LISTENER_REFUSING && listener->admission == NULL)
		return accept_some(listener, endpoint, number);
	effort = accept_effort(listener);
	if (accept_rests(listener, effort))
		return ACCEPT_EMPTY;
	if (listener->state != LISTENER_REFUSING)
		return accept_some(listener, endpoint, number);
	begun_us = clock_us();
	end = accept_some(listener, endpoint, 0);
	effort_add(effort, begun_us, clock_us());
	return end == ACCEPT_MORE && accept_rests(listener, effort) ?
	    ACCEPT_EMPTY :
	    end;
}
