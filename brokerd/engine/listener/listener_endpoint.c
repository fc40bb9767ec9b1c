/* SPDX-License-Identifier: ISC */
/*
 * One bound socket.  Engine, unprivileged.
 */
#include "engine/listener/listener_endpoint.h"

#include "engine/timer.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static void
listener_endpoint_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct listener_endpoint *endpoint = argument;

	(void)fd;
	(void)what;
	endpoint->on_readable(endpoint->owner, endpoint);
}

struct listener_endpoint *
listener_endpoint_new(const struct listener_context *context,
    struct record_endpoint *record, uint32_t number, int fd, int error)
{
	struct listener_endpoint *endpoint = calloc(1, sizeof(*endpoint));

	if (endpoint == NULL)
		return NULL;
	endpoint->context = context;
	endpoint->record = record;
	endpoint->number = number;
	endpoint->fd = fd;
	endpoint->error = error;
	endpoint->upkeep = (struct upkeep){.role = "listener ",
	    .name = endpoint->record->listener,
	    .sock = &endpoint->record->socket,
	    .lent = record->handoff == RECORD_LISTENER,
	    .takes_rights = 1,
	    .fd = fd,
	    .log = context->log,
	    .rebind = context->rebind,
	    .diag = context->diag};
	endpoint->untaken.limit_ms = UINT64_C(1000) * record->stuck_after_s;
	if (fd == -1 || record->handoff == RECORD_LISTENER)
		return endpoint;
	endpoint->readable = event_new(context->base, fd, EV_READ | EV_PERSIST,
	    listener_endpoint_on_readable, endpoint);
	if (endpoint->readable != NULL)
		return endpoint;
	free(endpoint);
	return NULL;
}

void
listener_endpoint_number(
    struct listener_endpoint *endpoint, uint32_t index, uint32_t count)
{
	if (endpoint->record->index == index &&
	    endpoint->record->count == count)
		return;
	endpoint->record->index = index;
	endpoint->record->count = count;
}

const char *
listener_endpoint_error(const struct listener_endpoint *endpoint)
{
	return endpoint->record->socket.address.ss_family == AF_UNSPEC ?
	    "its name or interface is unknown" :
	    strerror(endpoint->error);
}

void
listener_endpoint_free(struct listener_endpoint *endpoint)
{
	listener_endpoint_close(endpoint);
	free(endpoint);
}

int
listener_endpoint_set_accepting(
    struct listener_endpoint *endpoint, int accepting)
{
	struct untaken *untaken = &endpoint->untaken;

	if (endpoint->record->handoff == RECORD_LISTENER)
		return accepting && untaken->arrival == NULL ?
		    untaken_start(untaken, endpoint->context->base,
			endpoint->context->diag, &endpoint->record->socket,
			endpoint->fd) :
		    0;
	if (endpoint->readable == NULL)
		return 0;
	endpoint->lone.none_waits = 0; /* some may have waited until now */
	return accepting ? event_add(endpoint->readable, NULL) :
			   event_del(endpoint->readable);
}

int
listener_endpoint_is_waited_for(const struct listener_endpoint *endpoint)
{
	struct pollfd waits = {
	    .fd = endpoint->fd, .events = POLLIN | POLLRDHUP};

	/* A signal may interrupt poll(2), see bounded_close.h: assume so.  From
	 * a local socket that was shut down nobody can accept. */
	return poll(&waits, 1, 0) == -1 ||
	    (waits.revents & (POLLIN | POLLRDHUP)) == POLLIN;
}

uint64_t
listener_endpoint_ask(struct listener_endpoint *endpoint)
{
	upkeep_look_for_file(&endpoint->upkeep);
	socket_queue_ask(endpoint->context->diag, &endpoint->record->socket,
	    endpoint->fd, &endpoint->queue);
	return untaken_ask(&endpoint->untaken, &endpoint->queue);
}

void
listener_endpoint_close(struct listener_endpoint *endpoint)
{
	timer_free_event(&endpoint->readable);
	untaken_stop(&endpoint->untaken);
	upkeep_stop(&endpoint->upkeep);
	/* Clients in its queue may have sent sockets. */
	endpoint->fd =
	    bounded_close_fd(endpoint->context->bounded, endpoint->fd);
}
