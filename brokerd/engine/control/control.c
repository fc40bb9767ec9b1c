/* SPDX-License-Identifier: ISC */
/*
 * The control socket: HTTP for brokerctl, curl and collectors of metrics.
 * Engine, unprivileged.  Here are the connections: how many, how long, and
 * whose.  evhttp reads and writes them; what is asked goes to control_call().
 */
#include "engine/control/control.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/control/call.h"
#include "engine/control/peer.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <jansson.h>
#include <stdio.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

#define CONTROL_HEADERS 8192
#define CONTROL_BODY 65536
#define CONTROL_REST_US 100000

static void
control_on_rested(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(argument);
}

/* No descriptors are left, say.  By itself it would spin; and it is evhttp
 * that it has for an argument, so that there is nothing else at hand here.
 * control_stop() takes the callback away, and enabling has no effect then. */
static void
control_on_accept_error(struct evconnlistener *accepting, void *argument)
{
	static const struct timeval rest = {0, CONTROL_REST_US};

	(void)argument;
	evconnlistener_disable(accepting);
	event_base_once(evconnlistener_get_base(accepting), -1, EV_TIMEOUT,
	    control_on_rested, accepting, &rest);
}

static void
control_on_request(struct evhttp_request *request, void *argument)
{
	struct control *control = argument;
	struct evhttp_connection *connection =
	    evhttp_request_get_connection(request);
	struct peer *peer = peer_find(control, connection);

	if (peer == NULL) /* there was no memory for it */
		evhttp_connection_free(connection);
	else
		control_call(peer, request);
}

int
control_open(
    struct control *control, const struct record_endpoint *record, int fd)
{
	const int none = 0;

	TAILQ_INIT(&control->peers);
	control->owner = record->owner;
	control->group = record->socket_gid;
	control->started_ms = clock_ms();
	control->fd = fd;
	snprintf(control->path, sizeof(control->path), "%s", record->mailbox);
	json_object_seed((size_t)control->core->epoch); /* opens no file */
	/* Those who connect inherit it; see unix_stream_connect() in Linux. */
	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof(none));
	control->accepting = evconnlistener_new(control->core->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_DISABLED, 0,
	    fd);
	if (control->accepting == NULL) {
		fd_close(fd);
		return -1;
	}
	evconnlistener_set_error_cb(
	    control->accepting, control_on_accept_error);
	control->http = evhttp_new(control->core->base);
	if (control->http == NULL)
		return -1;
	evhttp_set_max_headers_size(control->http, CONTROL_HEADERS);
	evhttp_set_max_body_size(control->http, CONTROL_BODY);
	evhttp_set_allowed_methods(
	    control->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_bevcb(control->http, peer_new, control);
	evhttp_set_gencb(control->http, control_on_request, control);
	if (evhttp_bind_listener(control->http, control->accepting) == NULL)
		return -1;
	return 0;
}

void
control_start(struct control *control)
{
	if (control->http != NULL)
		evconnlistener_enable(control->accepting);
}

static int
peer_is_busy(const struct peer *peer)
{
	return peer->waiting != NULL || peer->writer != NULL || peer->answered;
}

/* The socket is closed at the end: see control_on_accept_error(). */
void
control_stop(struct control *control)
{
	struct peer *peer, *next;

	if (control->http == NULL || control->stopped)
		return;
	control->stopped = 1;
	evconnlistener_disable(control->accepting);
	evconnlistener_set_cb(control->accepting, NULL, NULL);
	for (peer = TAILQ_FIRST(&control->peers); peer != NULL; peer = next) {
		next = TAILQ_NEXT(peer, entry);
		if (!peer_is_busy(peer))
			peer_drop(peer);
	}
}

void
control_set_accepting(struct control *control, int accepting)
{
	if (control->stopped)
		return;
	if (accepting)
		evconnlistener_enable(control->accepting);
	else
		evconnlistener_disable(control->accepting);
}

int
control_is_busy(const struct control *control)
{
	const struct peer *peer;

	if (control->http == NULL)
		return 0;
	TAILQ_FOREACH (peer, &control->peers, entry)
		if (peer_is_busy(peer))
			return 1;
	return 0;
}

void
control_close(struct control *control)
{
	struct peer *peer;

	control->stopped = 1;
	if (control->http != NULL) {
		while ((peer = TAILQ_FIRST(&control->peers)) != NULL)
			peer_drop(peer);
		evhttp_free(control->http);
	} else if (control->accepting != NULL) {
		evconnlistener_free(control->accepting);
	}
	control->http = NULL;
	control->accepting = NULL;
}
