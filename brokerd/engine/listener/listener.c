/* SPDX-License-Identifier: ISC */
/*
 * When a listener accepts, and for how long its connections wait for a worker.
 * Engine, unprivileged.
 */
#include "engine/listener/listener.h"

#include "base/clock.h"
#include "channel/channel.h"
#include "engine/listener/accept.h"
#include "engine/listener/admission.h"
#include "engine/listener/lending.h"
#include "engine/pool/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LISTENER_ROUNDS 4       /* before other events have their turn */
#define LISTENER_REST_MS 100    /* when a limit was reached */
#define LISTENER_BROKEN_MS 1000 /* when the socket cannot accept */
#define LISTENER_SETTLE_MS 2000 /* of a new engine */
#define LISTENER_SCAN_MS 1000   /* between scans while a connection waits */

/* A new engine needs a moment to see that there is still no worker, say.  The
 * time when an earlier one saw it may be anything. */
static void
listener_note_state(struct listener *listener, enum listener_state state)
{
	const struct persistent_listener *before = &listener->before;
	uint64_t now = clock_ms();

	listener->state_since_ms = now;
	if (before->state == state && before->since_ms - 1 < now - 1 &&
	    now - listener->started_ms < LISTENER_SETTLE_MS)
		listener->state_since_ms = before->since_ms;
	listener->noted->state = state;
	listener->noted->since_ms = listener->state_since_ms;
}

/* True if a connection was accepted and waits for a worker. */
static int
listener_holds(const struct listener *listener)
{
	return dispatch_holds(listener->pool, listener->stats) ||
	    !admission_is_empty(listener->admission);
}

static void listener_rest(
    struct listener *listener, uint64_t delay_ms, int error);

/* Every change of state goes through here.  If an endpoint cannot be watched,
 * the listener rests and tries again. */
static void
listener_enter(struct listener *listener, enum listener_state state)
{
	int accepting = state == LISTENER_OPEN || state == LISTENER_REFUSING ||
	    (state == LISTENER_WAITING &&
		admission_has_room(listener->admission));
	struct listener_endpoint *endpoint;
	int error = 0;

	if (state == LISTENER_STOPPED || state == LISTENER_REFUSING)
		admission_leave(listener->admission);
	if (listener->state != state)
		listener_note_state(listener, state);
	listener->state = state;
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
		if (listener_endpoint_set_accepting(endpoint, accepting) == -1)
			error = errno;
	if (state != LISTENER_RESTING && state != LISTENER_WAITING)
		timer_stop(&listener->timer);
	pool_set_waiting(listener->pool, &listener->pool_user,
	    state == LISTENER_WAITING || state == LISTENER_REFUSING,
	    !pool_has_worker(listener->pool) &&
		(state == LISTENER_WAITING || listener_holds(listener)));
	if (error != 0 && accepting && listener->state == state)
		listener_rest(listener, LISTENER_REST_MS, error);
}

static void
listener_rest(struct listener *listener, uint64_t delay_ms, int error)
{
	listener->stats->accept_paused++;
	listener_enter(listener, LISTENER_RESTING);
	timer_set(&listener->timer, delay_ms * 1000);
	limited_log_line(&listener->accept_limit, listener->context->log,
	    LOG_WARNING,
	    "listener %s: cannot accept: %s: trying again in %llu ms, "
	    "connections wait",
	    listener->record->listener, strerror(error),
	    (unsigned long long)delay_ms);
}

static void
listener_wait(struct listener *listener)
{
	uint64_t limit_ms = UINT64_C(1000) * listener->record->give_up_s;
	uint64_t delay_ms = LISTENER_SCAN_MS, waited_ms;

	listener->pool->starved = 1;
	listener_enter(listener, LISTENER_WAITING);
	if (listener->state != LISTENER_WAITING)
		return; /* looking for a worker has found one */
	if (pool_has_worker(listener->pool)) {
		listener->absence.since_ms = 0;
		return;
	}
	absence_go_on(&listener->absence, listener->context->log,
	    listener->record->listener, listener->pool);
	waited_ms = absence_waited_ms(&listener->absence);
	if (limit_ms != 0 && waited_ms + delay_ms > limit_ms)
		delay_ms = waited_ms < limit_ms ? limit_ms - waited_ms : 0;
	timer_set(&listener->timer, delay_ms * 1000);
}

/* Accepts, if what was accepted before does not wait. */
static void
listener_resume(struct listener *listener)
{
	if (!admission_is_empty(listener->admission)) {
		admission_serve(listener->admission);
		dispatch_send(listener->pool);
	}
	if (!admission_is_empty(listener->admission))
		listener_wait(listener);
	else
		listener_enter(listener, LISTENER_OPEN);
}

static void
listener_on_readable(void *owner, struct listener_endpoint *endpoint)
{
	struct listener *listener = owner;
	struct coalesce_load *load = listener->context->load;
	struct finder *finder = &listener->pool->finder;
	uint64_t before = load->count.accepted;
	enum accept_end end = ACCEPT_MORE;

	/* Without a watch only a scan finds a new worker. */
	if (listener->state == LISTENER_REFUSING && finder->watcher.id == -1)
		finder_scan(finder);
	for (int i = 0; end == ACCEPT_MORE && i < LISTENER_ROUNDS; i++)
		end = accept_round(listener, endpoint, i);
	if (end == ACCEPT_NO_ROOM ||
	    (listener->state == LISTENER_OPEN &&
		!admission_is_empty(listener->admission)))
		listener_wait(listener);
	else if (end == ACCEPT_LIMIT)
		listener_rest(listener, LISTENER_REST_MS, errno);
	else if (end == ACCEPT_BROKEN)
		listener_rest(listener, LISTENER_BROKEN_MS, errno);
	load->more |= end == ACCEPT_MORE;
	coalesce_on_event(&load->count, before, listener->stats->unreceipted);
}

static void
listener_on_time(void *owner)
{
	struct listener *listener = owner;
	uint64_t limit_ms = UINT64_C(1000) * listener->record->give_up_s;

	if (listener->state == LISTENER_REFUSING) {
		listener_enter(listener, LISTENER_REFUSING); /* goes on */
		return;
	}
	if (listener->state == LISTENER_RESTING ||
	    listener->state == LISTENER_OPEN) {
		listener_resume(listener);
		return;
	}
	finder_scan(&listener->pool->finder);
	if (listener->state != LISTENER_WAITING)
		return;
	if (limit_ms == 0 || absence_waited_ms(&listener->absence) < limit_ms) {
		listener_wait(listener);
		return;
	}
	listener_enter(listener, LISTENER_REFUSING);
	listener->stats->refused_absent +=
	    dispatch_refuse_held(listener->pool, listener->stats);
}

/* A worker came, went or has room. */
static void
listener_on_change(void *owner)
{
	struct listener *listener = owner;

	if (!pool_has_worker(listener->pool)) {
		/* A connection that came back from a worker waits as well. */
		if (listener->state == LISTENER_WAITING ||
		    (listener->state == LISTENER_OPEN &&
			listener_holds(listener)))
			listener_wait(listener);
		return;
	}
	if (listener->state != LISTENER_WAITING &&
	    listener->state != LISTENER_REFUSING)
		return;
	absence_end(&listener->absence, listener->context->log,
	    listener->record->listener);
	listener_resume(listener);
}

struct listener *
listener_new(
    const struct listener_context *context, struct pool *pool, const char *name)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	struct stats_row *row = stats_add(context->stats, name);

	if (listener == NULL)
		return NULL;
	listener->context = context;
	listener->pool = pool;
	listener->pool_user.on_change = listener_on_change;
	listener->pool_user.may_lend = lending_may_lend;
	listener->pool_user.owner = listener;
	TAILQ_INIT(&listener->endpoints);
	TAILQ_INIT(&listener->unbound);
	if (row == NULL ||
	    timer_init(&listener->timer, context->base, listener_on_time,
		listener) == -1) {
		free(listener);
		return NULL;
	}
	listener->stats = &row->counters;
	listener->noted = &row->state;
	pool_add_user(pool, &listener->pool_user);
	return listener;
}

void
listener_free(struct listener *listener)
{
	struct listener_endpoint *endpoint;

	admission_free(listener->admission);
	listener->admission = NULL;
	listener_stop(listener, NULL);
	TAILQ_CONCAT(&listener->endpoints, &listener->unbound, entry);
	while ((endpoint = TAILQ_FIRST(&listener->endpoints)) != NULL) {
		TAILQ_REMOVE(&listener->endpoints, endpoint, entry);
		listener_endpoint_free(endpoint);
	}
	pool_remove_user(listener->pool, &listener->pool_user);
	timer_done(&listener->timer);
	free(listener);
}

int
listener_add(struct listener *listener, struct record_endpoint *record,
    uint32_t number, int fd, int error)
{
	struct listener_endpoint *endpoint =
	    listener_endpoint_new(listener->context, record, number, fd, error);
	struct handoff *handoff;

	if (endpoint == NULL)
		return -1;
	endpoint->on_readable = listener_on_readable;
	endpoint->upkeep.stats = listener->stats;
	endpoint->untaken.on_change = lending_on_untaken;
	endpoint->untaken.owner = endpoint;
	endpoint->owner = listener;
	if (fd != -1 && record->handoff == RECORD_LISTENER) {
		handoff =
		    handoff_new_lent(endpoint->record, listener->stats, fd);
		if (handoff == NULL) {
			endpoint->fd = -1;
			listener_endpoint_free(endpoint);
			return -1;
		}
		dispatch_add_lent(listener->pool, handoff);
	}
	TAILQ_INSERT_TAIL(fd != -1 ? &listener->endpoints : &listener->unbound,
	    endpoint, entry);
	if (listener->record == NULL)
		listener->record = endpoint->record;
	return 0;
}

/* A pause that an administrator set in an earlier engine remains. */
void
listener_start(struct listener *listener)
{
	struct listener_endpoint *endpoint;
	uint32_t count = 0, index = 0;

	listener->started_ms = clock_ms();
	listener->before = *listener->noted;
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
		count++;
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
		listener_endpoint_number(endpoint, index++, count);
	if (listener->before.paused)
		listener_enter(listener, LISTENER_PAUSED);
	else
		listener_resume(listener);
}

void
listener_stop(struct listener *listener, const struct channel_drain *drain)
{
	struct listener_endpoint *endpoint;
	size_t served = 0;

	dispatch_remove_lent(listener->pool, listener->stats);
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		int removed = drain != NULL &&
		    channel_is_removed(drain, endpoint->number);

		if (removed && endpoint->readable != NULL) {
			served++;
			continue;
		}
		if (removed && endpoint->fd != -1)
			lending_tell_removed(listener, endpoint);
		listener_endpoint_close(endpoint);
	}
	if (served == 0)
		listener_enter(listener, LISTENER_STOPPED);
	else if (listener->state == LISTENER_PAUSED)
		listener_enter(listener, LISTENER_OPEN); /* now or never */
}

int
listener_is_served(struct listener *listener)
{
	struct listener_endpoint *endpoint;
	int served = 0;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		if (endpoint->readable == NULL)
			continue;
		if (listener_endpoint_is_waited_for(endpoint))
			served = 1;
		else
			listener_endpoint_close(endpoint);
	}
	if (!served && listener->state != LISTENER_STOPPED)
		listener_enter(listener, LISTENER_STOPPED);
	return served;
}

int
listener_is_lent(const struct listener *listener)
{
	return listener->record->handoff == RECORD_LISTENER;
}

const char *
listener_state_name(const struct listener *listener)
{
	static const char *const names[] = {
	    [LISTENER_STOPPED] = "stopped",
	    [LISTENER_OPEN] = "open",
	    [LISTENER_WAITING] = "waiting",
	    [LISTENER_REFUSING] = "refusing",
	    [LISTENER_RESTING] = "resting",
	    [LISTENER_PAUSED] = "paused",
	};

	if (TAILQ_EMPTY(&listener->endpoints))
		return "unbound";
	if (listener->state == LISTENER_OPEN && listener_is_lent(listener))
		return "lent";
	/* It enters the state only when a connection comes. */
	if (listener->state == LISTENER_OPEN &&
	    !pool_has_worker(listener->pool))
		return names[LISTENER_WAITING];
	return names[listener->state];
}

void
listener_follow(struct listener *listener)
{
	int paused = listener->noted->paused != 0;

	if (listener->state == LISTENER_STOPPED ||
	    paused == (listener->state == LISTENER_PAUSED))
		return;
	listener->absence.since_ms = 0; /* give-up does not count meanwhile */
	if (paused)
		listener_enter(listener, LISTENER_PAUSED);
	else
		listener_resume(listener);
}

int
listener_set_paused(struct listener *listener, int paused)
{
	if (listener_is_lent(listener))
		return -1;
	persistent_set_paused(
	    listener->context->persistent, listener->noted, paused);
	listener_follow(listener);
	return 0;
}
