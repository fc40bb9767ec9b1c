/* SPDX-License-Identifier: ISC */
/*
 * Connections that come back.  Engine, unprivileged.  An engine that was killed
 * may have been a hostile one, and may have sent anything: the kernel is asked
 * what each descriptor is, a message that is wrong ends its socket, and a round
 * is limited.
 */
#include "engine/listener/returns.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/ledger.h"
#include "engine/handoff/returned.h"
#include "engine/handoff/socket_option.h"
#include "engine/listener/admission.h"
#include "engine/listener/returns_origin.h"
#include "engine/policy/errors.h"
#include "engine/pool/dispatch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define RETURNS_READERS 16    /* engines that may have something to return */
#define RETURNS_ROUND 64      /* messages, then other events have their turn */
#define RETURNS_ROUND_US 1000 /* or after that time */
#define RETURNS_AT_START 1024 /* messages */
#define RETURNS_LEFT 4        /* descriptors */
#define RETURNS_REST_US 10000 /* while these are not left */
#define RETURNS_SHARE 2       /* a part of all descriptors may be waiting */
#define RETURNS_ENGINES 32    /* that may die while they have a connection */

static void returns_on_readable(evutil_socket_t fd, short what, void *argument);
static void returns_on_rested(void *owner);

/* Allocates what the next message may need, or what it brings would be lost.
 * 0, or -1 with ENOMEM. */
static int
returns_reserve(struct returns *returns)
{
	if (returns->reserved == NULL)
		returns->reserved = returns_reader_new(returns->context->base,
		    returns_on_readable, returns_on_rested);
	return returns->reserved == NULL ||
		handoff_reserve(returns->context->reserved) == -1 ?
	    -1 :
	    sent_before_reserve(&returns->sent);
}

int
returns_init(struct returns *returns, const struct listener_context *context,
    const struct listener_list *listeners)
{
	*returns = (struct returns){.context = context, .listeners = listeners};
	TAILQ_INIT(&returns->readers);
	return sent_before_init(
		   &returns->sent, context->base, context->bounded) == -1 ?
	    -1 :
	    returns_reserve(returns);
}

static void
returns_close(struct returns_reader *reader)
{
	struct returns *returns = reader->returns;

	TAILQ_REMOVE(&returns->readers, reader, entry);
	returns->reader_count--;
	event_del(reader->readable);
	/* Unread messages may have descriptors. */
	bounded_close_fd(returns->context->bounded, reader->fd);
	returns_reader_free(reader);
}

/* Takes fd (-1: none).  The close of what is no socket may wait for ever
 * (FUSE): it stays open, and no keeper returns it. */
static void
returns_drop(struct returns *returns, int fd)
{
	if (fd == -1 || socket_option(fd, SO_TYPE) != -1)
		bounded_close_fd(returns->context->bounded, fd);
	else
		returns->is_wary = 1;
}

/* Takes fd. */
static void
returns_refuse(struct returns *returns, int fd, const char *reason)
{
	bounded_close_fd(returns->context->bounded, fd);
	limited_log_line(&returns->limit, returns->context->log, LOG_WARNING,
	    "a connection of an earlier engine is closed: %s", reason);
}

/* A hand-off like the one that the dead engine had (takes fd).  NULL after a
 * line in the log. */
static struct handoff *
returns_make(struct returns *returns, const struct returned *returned, int fd,
    struct listener **out_listener)
{
	const struct listener_context *context = returns->context;
	struct handoff *handoff;
	struct returns_origin origin;

	if (returns_origin_find(&origin, returns->listeners, fd) == -1) {
		/* The dead engine may have noted nothing: it can be a client
		 * of the control socket. */
		if (returned->accept_time_ns == 0)
			bounded_close_fd(context->bounded, fd);
		else
			returns_refuse(returns, fd,
			    "it was reset, or belongs to no listener that "
			    "there is");
		return NULL;
	}
	context->reserve->last = fd;
	handoff = handoff_new(context->reserved, origin.endpoint->record,
	    origin.listener->stats, context->bounded, fd, &origin.peer,
	    origin.peer_length);
	handoff->deaths = returned->deaths;
	handoff->redeliveries = returned->redeliveries;
	handoff->returns = returned->returns + 1U;
	handoff->sequence = returned->sequence;
	if (returned->accept_time_ns != 0 &&
	    returned->accept_time_ns < handoff->accept_time_ns)
		handoff->accept_time_ns = returned->accept_time_ns;
	*out_listener = origin.listener;
	return handoff;
}

/* How many more may wait here, or they would use up all descriptors. */
static uint64_t
returns_room(const struct returns *returns)
{
	uint64_t most = (uint64_t)returns->context->reserve->first;
	uint64_t waiting = returns->sent.count;
	const struct listener *listener;

	TAILQ_FOREACH (listener, returns->listeners, entry)
		waiting += listener->stats->held;
	most /= RETURNS_SHARE;
	return waiting < most ? most - waiting : 0;
}

/* Takes the hand-off.  One that kills engines must not kill all of them. */
static void
returns_hold(struct returns *returns, struct handoff *handoff,
    struct listener *listener, int noted)
{
	/* Without a time, the dead engine has not counted it either. */
	if (noted)
		handoff->stats->returned_engine++;
	else
		handoff->stats->accepted++;
	if (handoff->returns <= RETURNS_ENGINES && returns->room > 0) {
		returns->room--;
		if (listener->admission != NULL)
			admission_take_over(listener->admission, handoff);
		else
			dispatch_take_over(listener->pool, handoff);
		return;
	}
	handoff->stats->refused_deaths++;
	refuse_connection(returns->context->refusals, handoff->endpoint,
	    fd_steal(&handoff->fd));
	handoff_free(handoff);
}

/* Takes all.  Without room, the worker that has it keeps it. */
static void
returns_watch(struct returns *returns, struct handoff *handoff,
    struct pool *pool, int peer)
{
	handoff->sent = 1;
	if (returns->room > 0) {
		returns->room--;
		sent_before_add(&returns->sent, handoff, pool, peer);
		return;
	}
	bounded_close_fd(returns->context->bounded, peer);
	handoff_free(handoff);
}

/* Takes the descriptors.  0, or -1 if the message is wrong. */
static int
returns_take(struct returns *returns, const struct returned *returned,
    ssize_t size, int fds[2])
{
	int has_peer = returned->kind == RETURNED_SENT;
	struct listener *listener;
	struct handoff *handoff;

	if (!returned_is_valid(returned, size, fds)) {
		returns_drop(returns, fds[0]);
		returns_drop(returns, fds[1]);
		return -1;
	}
	if (returned->kind == RETURNED_READER &&
	    (returns->reader_count == RETURNS_READERS || returns->is_wary)) {
		returns_refuse(returns, fds[0], "it has too many others");
		return 0; /* what comes after it is good */
	}
	if (returned->kind == RETURNED_READER)
		return returns_add(returns, fds[0]);
	if (has_peer) /* before anything else: this engine may be killed */
		ledger_add_sent(returns->context->bounded->ledger, fds[0],
		    fds[1], returned->sequence);
	handoff = returns_make(returns, returned, fds[0], &listener);
	returns->brought += handoff != NULL;
	if (handoff == NULL)
		bounded_close_fd(returns->context->bounded, fds[1]);
	else if (returned->kind == RETURNED_HELD)
		returns_hold(
		    returns, handoff, listener, returned->accept_time_ns != 0);
	else
		returns_watch(returns, handoff, listener->pool, fds[1]);
	return 0;
}

/* What comes with the next message, if this engine is killed before it has been
 * noted.  Only a hint: SO_PEEK_OFF may hide the message. */
static void
returns_expect(const struct returns_reader *reader)
{
	struct returned returned = {.kind = 0};

	if (recv(reader->fd, &returned, sizeof(returned),
		MSG_PEEK | MSG_DONTWAIT) > 0)
		ledger_expect(
		    reader->returns->context->bounded->ledger, returned.kind);
}

/* Reads one message.  1 there may be more, 0 there is none now, -1 there will
 * be none: the engine and its keeper have ended, or one has sent nonsense. */
static int
returns_read(struct returns_reader *reader)
{
	struct returns *returns = reader->returns;
	struct returned returned = {.kind = 0};
	int fds[2], error, taken = 0;
	ssize_t n;

	if (fd_reserve_left(returns->context->reserve, RETURNS_LEFT) <
		RETURNS_LEFT ||
	    returns_reserve(returns) == -1)
		return returns_reader_rest(reader, RETURNS_REST_US);
	returns_expect(reader);
	n = returned_receive(
	    reader->fd, returns->context->bounded, &returned, fds);
	error = errno;
	if (n != -1)
		taken = returns_take(returns, &returned, n, fds) == 0;
	ledger_expect(returns->context->bounded->ledger, 0);
	if (n == -1 && errors_is_passing(error))
		return error == EAGAIN ?
		    0 :
		    returns_reader_rest(reader, RETURNS_REST_US);
	if (n == -1 && error == ECONNRESET)
		return 1; /* an answer was not read: the rest follows */
	if (taken)
		return 1;
	if (n != 0)
		limited_log_line(&returns->limit, returns->context->log,
		    LOG_WARNING,
		    "an earlier engine returned something that is not a "
		    "connection: nothing more is taken from it");
	return -1;
}

/* The same connections may come again and again: more than there can be
 * descriptors. */
static void
returns_account(
    struct returns_reader *reader, uint64_t begun_us, uint64_t brought)
{
	struct returns *returns = reader->returns;

	if (returns->brought > brought &&
	    returns->brought <= (uint64_t)returns->context->reserve->first)
		return;
	if (returns_reader_account(reader, begun_us, returns->reader_count))
		limited_log_line(&returns->rest_limit, returns->context->log,
		    LOG_WARNING,
		    "an earlier engine, or a process that has its end, returns "
		    "much that is no connection: it is read for a tenth of the "
		    "time");
}

static void
returns_read_most(struct returns_reader *reader, int most, uint64_t most_us)
{
	const char answer = RETURNED_READ;
	uint64_t begun_us = clock_us(), brought = reader->returns->brought;
	int got = 1;

	reader->returns->room = returns_room(reader->returns);
	while (got == 1 && most-- > 0 && clock_us() - begun_us < most_us)
		got = returns_read(reader);
	if (got == -1) {
		returns_close(reader);
		return;
	}
	returns_account(reader, begun_us, brought);
	if (got == 0 &&
	    send(reader->fd, &answer, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 &&
	    !timer_is_set(&reader->rest))
		timer_set(&reader->rest, RETURNS_REST_US);
}

static void
returns_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct returns_reader *reader = argument;

	(void)fd;
	(void)what;
	/* All together read no more in a round than one alone. */
	returns_read_most(reader,
	    RETURNS_ROUND / (int)reader->returns->reader_count,
	    RETURNS_ROUND_US);
}

static void
returns_on_rested(void *owner)
{
	struct returns_reader *reader = owner;

	timer_add_event(reader->readable, NULL);
	returns_on_readable(reader->fd, EV_TIMEOUT, reader);
}

int
returns_add(struct returns *returns, int fd)
{
	struct returns_reader *reader;

	if (returns_reserve(returns) == -1 ||
	    socket_option(fd, SO_TYPE) != SOCK_SEQPACKET ||
	    returns->reader_count == RETURNS_READERS) {
		bounded_close_fd(returns->context->bounded, fd);
		return -1;
	}
	ledger_set(returns->context->bounded->ledger, fd, LEDGER_READER);
	reader = returns->reserved;
	returns->reserved = NULL;
	reader->returns = returns;
	reader->fd = fd;
	event_assign(reader->readable, returns->context->base, fd,
	    EV_READ | EV_PERSIST, returns_on_readable, reader);
	TAILQ_INSERT_TAIL(&returns->readers, reader, entry);
	returns->reader_count++;
	if (returns->started)
		timer_add_event(reader->readable, NULL);
	return 0;
}

void
returns_start(struct returns *returns)
{
	struct returns_reader *reader, *next;

	returns->started = 1;
	for (reader = TAILQ_FIRST(&returns->readers); reader != NULL;
	     reader = next) {
		next = TAILQ_NEXT(reader, entry);
		timer_add_event(reader->readable, NULL);
		returns_read_most(reader, RETURNS_AT_START, UINT64_MAX);
	}
}

int
returns_is_busy(const struct returns *returns)
{
	return returns->reader_count > 0 || returns->sent.count > 0;
}

void
returns_done(struct returns *returns)
{
	struct returns_reader *reader;

	if (returns->context == NULL)
		return;
	while ((reader = TAILQ_FIRST(&returns->readers)) != NULL)
		returns_close(reader);
	returns_reader_free(returns->reserved);
	sent_before_done(&returns->sent);
}
