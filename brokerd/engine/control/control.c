/* SPDX-License-Identifier: ISC */
/*
 * The control socket: HTTP for brokerctl, curl and collectors of metrics.
 * Engine, unprivileged.  evhttp accepts connections, reads requests and sends
 * answers; peer.c limits its connections, and routes.c handles its requests.
 */
#include "engine/control/control.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "channel/channel.h"
#include "engine/control/answer.h"
#include "engine/control/routes.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sysexits.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

#define CONTROL_PEERS 32
#define CONTROL_HEADERS 8192
#define CONTROL_BODY 65536
#define CONTROL_REST_US 100000
#define CONTROL_PEER_US 50 /* a connection takes so long beside its request */

static void control_on_accept_error(
    struct evconnlistener *accepting, void *argument);

static void
control_accept(struct evconnlistener *accepting)
{
	if (evconnlistener_enable(accepting) == -1)
		control_on_accept_error(accepting, NULL);
}

static void
control_on_rested(evutil_socket_t fd, short what, void *accepting)
{
	(void)fd;
	(void)what;
	control_accept(accepting);
}

/* accept(2) has failed, because no descriptor is left, for example.  By itself
 * evconnlistener would try again without a pause.  The other argument belongs
 * to evhttp, so nothing else is known here. */
static void
control_on_accept_error(struct evconnlistener *accepting, void *argument)
{
	static const struct timeval rest = {0, CONTROL_REST_US};
	struct event_base *base = evconnlistener_get_base(accepting);

	(void)argument;
	evconnlistener_disable(accepting);
	if (event_base_once(base, -1, EV_TIMEOUT, control_on_rested, accepting,
		&rest) == -1)
		event_base_loopbreak(base); /* as timer_add_event() */
}

/* The time for root and the administrator is not limited. */
static void
control_answer(struct control *control, struct peer *peer)
{
	int limited = peer->right != PEER_CHANGE;
	uint64_t begun_us = clock_us();

	routes_handle(&control->context, peer);
	if (limited)
		effort_add(&control->peers.effort, begun_us, clock_us());
}

/* Members of the group may ask without end: all of them together get a tenth of
 * the time for answers.  Returns for how long their requests have to wait. */
static uint64_t
control_answer_waiting(struct control *control)
{
	struct peer *peer, *next;
	uint64_t rest_us;

	for (peer = TAILQ_FIRST(&control->peers.peers); peer != NULL;
	     peer = next) {
		next = TAILQ_NEXT(peer, entry);
		if (peer->state != PEER_ASKING || peer->request == NULL)
			continue;
		rest_us = effort_rest_us(&control->peers.effort, clock_us());
		if (rest_us > 0)
			return rest_us;
		control_answer(control, peer);
	}
	return 0;
}

/* Accepting gets a tenth of the time, too; then connections wait in the
 * kernel. */
static void
control_continue(void *owner)
{
	struct control *control = owner;
	uint64_t wait_us = control_answer_waiting(control), rest_us;

	if (!control->serves)
		return;
	rest_us = effort_rest_us(&control->peers.arrivals, clock_us());
	if (rest_us == 0 && control->peers.count < CONTROL_PEERS)
		control_accept(control->accepting);
	else
		evconnlistener_disable(control->accepting);
	if (rest_us == 0 || (wait_us > 0 && wait_us < rest_us))
		rest_us = wait_us;
	if (rest_us > 0)
		timer_set(&control->rest, rest_us);
}

static void
control_on_request(struct evhttp_request *request, void *owner)
{
	struct control *control = owner;
	struct evhttp_connection *connection =
	    evhttp_request_get_connection(request);
	struct peer *peer = peer_find(&control->peers, connection);

	if (peer == NULL) { /* there was no memory for it */
		evhttp_connection_free(connection);
		return;
	}
	peer->request = request;
	if (peer->right == PEER_CHANGE)
		control_answer(control, peer);
	control_continue(control);
}

/* evhttp has accepted a connection.  Further ones wait in the kernel. */
static struct bufferevent *
control_on_connection(struct event_base *base, void *owner)
{
	struct control *control = owner;
	struct bufferevent *buffer = peer_new(&control->peers, base);
	uint64_t now_us = clock_us();

	effort_add(&control->peers.arrivals, now_us - CONTROL_PEER_US, now_us);
	control_continue(control);
	return buffer;
}

static void
control_on_peer_removed(void *owner)
{
	struct control *control = owner;

	timer_set(&control->rest, 0);
}

void
control_init(struct control *control, const struct control_context *context)
{
	*control = (struct control){.context = *context,
	    .peers = {.on_removed = control_on_peer_removed, .owner = control}};
	control->context.started_ms = clock_ms();
	control->context.fd = -1;
	TAILQ_INIT(&control->peers.peers);
	json_object_seed((size_t)context->epoch); /* opens no file */
}

int
control_open(
    struct control *control, const struct record_control *record, int fd)
{
	struct event_base *base = control->context.base;
	const int none = 0;

	control->peers.administrator = record->owner;
	control->peers.group = record->socket.gid;
	control->context.fd = fd;
	text_copy(control->context.path, sizeof(control->context.path),
	    record_path(&record->socket));
	/* Connections inherit it; see unix_stream_connect() in Linux. */
	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof(none));
	control->accepting = evconnlistener_new(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_DISABLED, 0,
	    fd);
	if (control->accepting == NULL) {
		fd_close(fd);
		return -1;
	}
	if (timer_init(&control->rest, base, control_continue, control) == -1)
		return -1;
	evconnlistener_set_error_cb(
	    control->accepting, control_on_accept_error);
	control->http = evhttp_new(base);
	if (control->http == NULL)
		return -1;
	evhttp_set_max_headers_size(control->http, CONTROL_HEADERS);
	evhttp_set_max_body_size(control->http, CONTROL_BODY);
	evhttp_set_allowed_methods(
	    control->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_bevcb(control->http, control_on_connection, control);
	evhttp_set_gencb(control->http, control_on_request, control);
	if (evhttp_bind_listener(control->http, control->accepting) == NULL)
		return -1;
	return 0;
}

void
control_start(struct control *control)
{
	if (control->http == NULL)
		return;
	control->serves = 1;
	control_accept(control->accepting);
}

/* True if the result of a reload or upgrade is the one that a peer waits for.
 * A reload does not end an upgrade that waits until engines have drained. */
static int
control_is_for(const struct peer *peer, uint32_t asked, int status)
{
	int upgraded = asked == CHANNEL_ASKED_UPGRADE;

	if (peer->state != PEER_WAITING)
		return 0;
	if (status == EX_OK && upgraded != (peer->asks == CHANNEL_UPGRADE))
		return 0;
	return peer->number <= asked;
}

/* See route_join().  If the reload has succeeded, control_stop() has made these
 * peers ask the next engine. */
static void
control_ask_again(struct control *control)
{
	struct requests *requests = control->context.requests;
	struct peer *peer;

	if (peer_find_state(&control->peers, PEER_WAITING) != NULL ||
	    peer_find_state(&control->peers, PEER_JOINING) == NULL)
		return;
	if (requests_send(requests, CHANNEL_RELOAD) == -1) {
		control_on_end(control);
		return;
	}
	TAILQ_FOREACH (peer, &control->peers.peers, entry) {
		if (peer->state != PEER_JOINING)
			continue;
		peer->number = requests->count;
		peer_set_state(peer, PEER_WAITING);
	}
}

void
control_on_result(
    struct control *control, uint32_t asked, int status, const char *text)
{
	struct peer *peer, *next;

	if (control->http == NULL)
		return;
	for (peer = TAILQ_FIRST(&control->peers.peers); peer != NULL;
	     peer = next) {
		next = TAILQ_NEXT(peer, entry);
		if (control_is_for(peer, asked, status))
			answer_result(peer, status, text);
		else if (status == EX_OK && peer->state == PEER_WAITING)
			peer_drop(peer);
	}
	control_ask_again(control);
}

void
control_on_end(struct control *control)
{
	struct peer *peer;

	if (control->http == NULL)
		return;
	while (
	    (peer = peer_find_state(&control->peers, PEER_WAITING)) != NULL ||
	    (peer = peer_find_state(&control->peers, PEER_JOINING)) != NULL)
		answer_result(peer, EX_TEMPFAIL,
		    "brokerd itself has ended: it is not known whether this "
		    "was done");
}

void
control_set_orphan(struct control *control, uint64_t until_ms)
{
	control->context.orphan_until_ms = until_ms;
}

/* Without a callback for new connections, enabling has no effect any more.  The
 * socket stays open until control_close(), for the pause that
 * control_on_accept_error() may have begun. */
void
control_stop(struct control *control)
{
	struct peer *peer, *next;

	if (control->http == NULL)
		return;
	control->serves = 0;
	evconnlistener_disable(control->accepting);
	evconnlistener_set_cb(control->accepting, NULL, NULL);
	for (peer = TAILQ_FIRST(&control->peers.peers); peer != NULL;
	     peer = next) {
		next = TAILQ_NEXT(peer, entry);
		if (peer->state == PEER_ASKING || peer->state == PEER_JOINING)
			peer_drop(peer);
	}
}

int
control_is_busy(const struct control *control)
{
	const struct peer *peer;

	if (control->http == NULL)
		return 0;
	TAILQ_FOREACH (peer, &control->peers.peers, entry)
		if (peer->state != PEER_ASKING)
			return 1;
	return 0;
}

void
control_close(struct control *control)
{
	struct peer *peer;

	if (control->http != NULL) {
		while ((peer = TAILQ_FIRST(&control->peers.peers)) != NULL)
			peer_drop(peer);
		evhttp_free(control->http);
	} else if (control->accepting != NULL) {
		evconnlistener_free(control->accepting);
	}
	timer_done(&control->rest);
	control->http = NULL;
	control->accepting = NULL;
}
