/* SPDX-License-Identifier: ISC */
/*
 * Listeners and their endpoints, made and ended.  Engine, unprivileged.
 */
#include "engine/listener/listener.h"

#include "base/fd.h"
#include "engine/core.h"
#include "engine/handoff/bounded_close.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct listener *
listener_find(struct listener_list *list, const char *name)
{
	struct listener *listener;

	TAILQ_FOREACH (listener, list, entry)
		if (listener->record != NULL &&
		    strcmp(listener->record->listener, name) == 0)
			return listener;
	return NULL;
}

struct listener *
listener_new(struct core *core, struct pool *pool, const char *name)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return NULL;
	listener->core = core;
	listener->pool = pool;
	listener->user.on_change = listener_on_change;
	TAILQ_INIT(&listener->endpoints);
	listener->stats = stats_find(&core->stats, name);
	listener->timer = evtimer_new(core->base, listener_on_timer, listener);
	if (listener->stats == NULL || listener->timer == NULL) {
		if (listener->timer != NULL)
			event_free(listener->timer);
		free(listener);
		return NULL;
	}
	pool_add_user(pool, &listener->user);
	return listener;
}

static int
listener_add_lent(struct listener_endpoint *endpoint)
{
	struct handoff *handoff = handoff_new_lent(
	    &endpoint->record, endpoint->listener->stats, endpoint->fd);

	if (handoff == NULL)
		return -1;
	pool_add_lent(endpoint->listener->pool, handoff);
	return 0;
}

int
listener_add(struct listener *listener, const struct record_endpoint *record,
    uint32_t number, int fd)
{
	struct listener_endpoint *endpoint = calloc(1, sizeof(*endpoint));
	int failed;

	if (endpoint == NULL)
		return -1;
	endpoint->listener = listener;
	endpoint->record = *record;
	endpoint->number = number;
	endpoint->fd = fd;
	if (record->handoff == RECORD_LISTENER) {
		failed = listener_add_lent(endpoint) == -1;
	} else {
		endpoint->readable = event_new(listener->core->base, fd,
		    EV_READ | EV_PERSIST, listener_on_readable, endpoint);
		failed = endpoint->readable == NULL;
	}
	if (failed) {
		free(endpoint);
		return -1;
	}
	TAILQ_INSERT_TAIL(&listener->endpoints, endpoint, entry);
	if (listener->record == NULL)
		listener->record = &endpoint->record;
	return 0;
}

static void
listener_close(struct listener_endpoint *endpoint)
{
	if (endpoint->readable != NULL)
		event_free(endpoint->readable);
	endpoint->readable = NULL;
	/* Clients that wait there may have sent sockets. */
	endpoint->fd =
	    bounded_close_fd(&endpoint->listener->core->bounded, endpoint->fd);
}

void
listener_stop(struct listener *listener, const struct channel_drain *drain)
{
	struct listener_endpoint *endpoint;
	size_t served = 0;

	pool_drop_lent(listener->pool, listener->stats);
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		if (endpoint->readable != NULL && drain != NULL &&
		    channel_is_removed(drain, endpoint->number))
			served++;
		else
			listener_close(endpoint);
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
	struct pollfd waits = {.events = POLLIN};
	int served = 0;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		if (endpoint->readable == NULL)
			continue;
		waits.fd = endpoint->fd;
		if (poll(&waits, 1, 0) == 1 && (waits.revents & POLLIN) != 0)
			served = 1;
		else
			listener_close(endpoint);
	}
	if (!served && listener->state != LISTENER_STOPPED)
		listener_enter(listener, LISTENER_STOPPED);
	return served;
}

void
listener_free(struct listener *listener)
{
	struct listener_endpoint *endpoint;

	listener_stop(listener, NULL);
	while ((endpoint = TAILQ_FIRST(&listener->endpoints)) != NULL) {
		TAILQ_REMOVE(&listener->endpoints, endpoint, entry);
		free(endpoint);
	}
	pool_drop_user(listener->pool, &listener->user);
	event_free(listener->timer);
	free(listener);
}

uint64_t
listener_refuse_held(struct listener *listener)
{
	struct handoff *handoff;
	uint64_t count = 0;

	while ((handoff = pool_take_held(listener->pool, listener->stats)) !=
	    NULL) {
		refuse_connection(&listener->core->refusals, handoff->endpoint,
		    fd_steal(&handoff->fd));
		handoff_free(handoff);
		count++;
	}
	return count;
}
