/* SPDX-License-Identifier: ISC */
/*
 * Accepting.  Engine, unprivileged.  The kernel's accept queue is the only
 * queue: a connection is accepted when a worker has room for it, and not
 * before.  States and clock are those of listener.h.
 */
#include "engine/listener/listener.h"

#include "base/clock.h"
#include "engine/core.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/limited_log.h"
#include "engine/policy/errors.h"
#include "engine/pool/route.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <string.h>

/* Connections in a row: what the engine has in hand dies with it.  And how
 * often that, before others have their turn. */
#define LISTENER_ROUND 4
#define LISTENER_ROUNDS 8
#define LISTENER_REST_MS 100    /* when a limit was reached */
#define LISTENER_BROKEN_MS 1000 /* when accept fails for good */
#define LISTENER_LOOK_MS 1000   /* rescan while a connection waits */

static void
listener_arm(struct listener *listener, int armed)
{
	struct listener_endpoint *endpoint;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		if (endpoint->readable == NULL)
			continue;
		if (armed)
			event_add(endpoint->readable, NULL);
		else
			event_del(endpoint->readable);
	}
}

static void
listener_set_timer(struct listener *listener, uint64_t delay_ms)
{
	struct timeval delay = {.tv_sec = (time_t)(delay_ms / 1000),
	    .tv_usec = (suseconds_t)(delay_ms % 1000) * 1000};

	event_add(listener->timer, &delay);
}

/* Every change of state goes through here. */
void
listener_enter(struct listener *listener, enum listener_state state)
{
	if (listener->state != state)
		listener->since_ms = clock_ms();
	listener->state = state;
	listener_arm(
	    listener, state == LISTENER_OPEN || state == LISTENER_REFUSING);
	if (state != LISTENER_RESTING && state != LISTENER_WAITING)
		event_del(listener->timer);
	pool_set_waits(listener->pool, &listener->user,
	    !pool_has_worker(listener->pool) &&
		(state == LISTENER_WAITING ||
		    pool_holds(listener->pool, listener->stats)));
}

static void
listener_rest(struct listener *listener, uint64_t delay_ms, int error)
{
	listener->stats->accept_paused++;
	listener_enter(listener, LISTENER_RESTING);
	listener_set_timer(listener, delay_ms);
	limited_log_line(&listener->accept_limit, &listener->core->log,
	    LOG_WARNING,
	    "listener %s: cannot accept: %s: trying again in %llu ms, "
	    "connections wait",
	    listener->record->listener, strerror(error),
	    (unsigned long long)delay_ms);
}

/* The clock runs while no worker exists and a connection waits. */
static void
listener_wait(struct listener *listener)
{
	uint64_t now = clock_ms(), delay_ms = LISTENER_LOOK_MS, left_ms;

	listener->pool->starved = 1;
	listener_enter(listener, LISTENER_WAITING);
	if (listener->state != LISTENER_WAITING)
		return; /* looking for a worker found one */
	if (pool_has_worker(listener->pool)) {
		listener->absent_ms = 0;
		event_del(listener->timer);
		return;
	}
	if (listener->absent_ms == 0) {
		listener->absent_ms = now;
		log_line(&listener->core->log, LOG_NOTICE,
		    "listener %s: no worker at %s: connections wait",
		    listener->record->listener, listener->pool->finder.path);
	}
	if (listener->record->give_up_s != 0) {
		left_ms = listener->absent_ms +
		    UINT64_C(1000) * listener->record->give_up_s;
		left_ms = left_ms > now ? left_ms - now : 0;
		delay_ms = left_ms < delay_ms ? left_ms : delay_ms;
	}
	listener_set_timer(listener, delay_ms);
}

static void
listener_refuse(
    struct listener *listener, const struct listener_endpoint *endpoint, int fd)
{
	listener->stats->refused_absent++;
	refuse_connection(&listener->core->refusals, &endpoint->record, fd);
	limited_log_line(&listener->refuse_limit, &listener->core->log,
	    LOG_WARNING,
	    "listener %s: refused a connection: no worker for %u s: "
	    "refusing until there is one",
	    listener->record->listener, listener->record->give_up_s);
}

static void
listener_give_up(struct listener *listener)
{
	listener_enter(listener, LISTENER_REFUSING);
	listener->stats->refused_absent += listener_refuse_held(listener);
}

/* Accepts one connection.  True if there may be another. */
static int
listener_accept(struct listener *listener, struct listener_endpoint *endpoint,
    struct worker *worker)
{
	struct sockaddr_storage peer;
	socklen_t peer_length = sizeof(peer);
	struct handoff *handoff;
	/* Not O_NONBLOCK: a worker would inherit that, and the simple ones
	 * read and write.  Nothing here ever waits for a connection. */
	int fd = accept4(
	    endpoint->fd, (struct sockaddr *)&peer, &peer_length, SOCK_CLOEXEC);

	if (fd == -1) {
		switch (errors_of_accept(errno)) {
		case ERRORS_ACCEPT_EMPTY:
			return 0;
		case ERRORS_ACCEPT_SKIP:
			listener->stats->accept_skipped++;
			return 1;
		case ERRORS_ACCEPT_PAUSE:
			listener_rest(listener, LISTENER_REST_MS, errno);
			return 0;
		case ERRORS_ACCEPT_BROKEN:
			listener_rest(listener, LISTENER_BROKEN_MS, errno);
			return 0;
		}
	}
	fd_reserve_note(&listener->core->reserve, fd);
	listener->stats->accepted++;
	listener->core->load.count.accepted++;
	if (worker == NULL) {
		listener_refuse(listener, endpoint, fd);
		return 1;
	}
	handoff = handoff_new(&endpoint->record, listener->stats,
	    &listener->core->bounded, fd, &peer, peer_length);
	if (handoff == NULL) {
		listener->stats->dead++;
		bounded_close_fd(&listener->core->bounded, fd);
		return 1;
	}
	route_put(listener->pool, worker, handoff);
	return 1;
}

/* The worker for the next connection, if the listener is open.  -1 when none
 * may be accepted now. */
static int
listener_may_accept(struct listener *listener,
    const struct listener_endpoint *endpoint, struct worker **out_worker)
{
	*out_worker = NULL;
	if (listener->state != LISTENER_OPEN &&
	    listener->state != LISTENER_REFUSING)
		return -1;
	if (!fd_reserve_is_left(&listener->core->reserve)) {
		listener_rest(listener, LISTENER_REST_MS, EMFILE);
		return -1;
	}
	if (listener->state == LISTENER_REFUSING)
		return 0;
	*out_worker = route_pick(listener->pool, &endpoint->record);
	if (*out_worker != NULL)
		return 0;
	listener_wait(listener);
	return -1;
}

/* Accepts some and sends them.  True if there may be more. */
static int
listener_round(struct listener *listener, struct listener_endpoint *endpoint)
{
	struct worker *worker;
	unsigned int most = coalesce_next_round(
	    &endpoint->lone, LISTENER_ROUND, listener->core->load.pausing);
	unsigned int i = 0;

	while (i < most &&
	    listener_may_accept(listener, endpoint, &worker) == 0 &&
	    listener_accept(listener, endpoint, worker))
		i++;
	route_send(listener->pool);
	coalesce_on_round(&endpoint->lone, most, i);
	return i == LISTENER_ROUND;
}

void
listener_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct listener_endpoint *endpoint = argument;
	struct listener *listener = endpoint->listener;
	uint64_t before = listener->core->load.count.accepted;
	int more = 1;

	(void)fd;
	(void)what;
	if (listener->state == LISTENER_REFUSING &&
	    !watcher_is_started(&listener->pool->finder.watcher))
		finder_scan(&listener->pool->finder);
	for (int i = 0; more && i < LISTENER_ROUNDS; i++)
		more = listener_round(listener, endpoint);
	listener->core->load.more |= more;
	listener->core->load.count.rounds +=
	    listener->core->load.count.accepted != before;
}

void
listener_on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct listener *listener = argument;

	(void)fd;
	(void)what;
	if (listener->state == LISTENER_RESTING) {
		listener_enter(listener, LISTENER_OPEN);
		return;
	}
	finder_scan(&listener->pool->finder);
	if (listener->state != LISTENER_WAITING)
		return;
	if (listener->record->give_up_s != 0 && listener->absent_ms != 0 &&
	    clock_ms() - listener->absent_ms >=
		UINT64_C(1000) * listener->record->give_up_s)
		listener_give_up(listener);
	else
		listener_wait(listener);
}

/* A worker came, went or has room. */
void
listener_on_change(struct pool_user *user)
{
	struct listener *listener = (struct listener *)(void *)((char *)user -
	    offsetof(struct listener, user));

	/* What came back from a worker waits as well. */
	if (!pool_has_worker(listener->pool)) {
		if (listener->state == LISTENER_WAITING ||
		    (listener->state == LISTENER_OPEN &&
			pool_holds(listener->pool, listener->stats)))
			listener_wait(listener);
		return;
	}
	if (listener->state != LISTENER_WAITING &&
	    listener->state != LISTENER_REFUSING)
		return;
	if (listener->absent_ms != 0)
		log_line(&listener->core->log, LOG_NOTICE,
		    "listener %s: a worker is there after %llu ms",
		    listener->record->listener,
		    (unsigned long long)(clock_ms() - listener->absent_ms));
	listener->absent_ms = 0;
	listener_enter(listener, LISTENER_OPEN);
}

void
listener_start(struct listener *listener)
{
	listener_enter(listener,
	    stats_is_paused(
		&listener->core->stats, listener->record->listener) ?
		LISTENER_PAUSED :
		LISTENER_OPEN);
}
