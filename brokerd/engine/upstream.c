/* SPDX-License-Identifier: ISC */
/*
 * The engine's end of the channel to the monitor.  Engine, unprivileged.  The
 * channel decides what may be received in which phase; here is the phase.
 */
#include "engine/upstream.h"

#include "engine/timer.h"

#include <errno.h>
#include <event2/event.h>

static void
upstream_on_message(
    struct upstream *upstream, struct channel_message *message, int fd)
{
	const struct upstream_callbacks *callbacks = upstream->callbacks;
	struct channel_result *result = &message->u.result;

	switch ((enum channel_type)message->header.type) {
	case CHANNEL_SOCKET:
		callbacks->on_socket(upstream->owner, &message->u.socket, fd);
		return;
	case CHANNEL_START:
		upstream->phase = CHANNEL_SERVING;
		callbacks->on_start(upstream->owner);
		return;
	case CHANNEL_DRAIN:
		upstream->phase = CHANNEL_DRAINING;
		callbacks->on_drain(upstream->owner, &message->u.drain);
		return;
	case CHANNEL_PING:
		channel_send(upstream->fd, CHANNEL_PONG, NULL, -1);
		callbacks->on_ping(upstream->owner);
		return;
	case CHANNEL_RESULT:
		result->text[CHANNEL_TEXT_SIZE - 1] = '\0';
		callbacks->on_result(
		    upstream->owner, (int)result->status, result->text);
		return;
	case CHANNEL_READY: /* upward only: channel_receive() refuses them */
	case CHANNEL_PONG:
	case CHANNEL_RELOAD:
	case CHANNEL_UPGRADE:
		return;
	}
}

static void
upstream_on_readable(evutil_socket_t channel, short what, void *argument)
{
	struct upstream *upstream = argument;
	struct channel_message message;
	int fd = -1, got = 1;

	(void)what;
	while (upstream->readable != NULL && got == 1) {
		got =
		    channel_receive(channel, 0, upstream->phase, &message, &fd);
		if (got == 1)
			upstream_on_message(upstream, &message, fd);
	}
	bounded_close_stop(upstream->bounded); /* receiving lifted its limit */
	if (upstream->readable == NULL || (got == -1 && errno == EAGAIN))
		return;
	upstream_stop(upstream);
	/* ECONNRESET: the monitor died with something unread. */
	upstream->callbacks->on_end(
	    upstream->owner, got == 0 || errno == ECONNRESET ? 0 : errno);
}

int
upstream_start(struct upstream *upstream, struct event_base *base, int fd,
    struct bounded_close *bounded, const struct upstream_callbacks *callbacks,
    void *owner)
{
	*upstream = (struct upstream){.fd = fd,
	    .phase = CHANNEL_LOADING,
	    .bounded = bounded,
	    .callbacks = callbacks,
	    .owner = owner};
	upstream->readable = event_new(
	    base, fd, EV_READ | EV_PERSIST, upstream_on_readable, upstream);
	if (upstream->readable == NULL)
		return -1;
	return event_add(upstream->readable, NULL);
}

int
upstream_ready(struct upstream *upstream)
{
	upstream->phase = CHANNEL_LOADED;
	return channel_send(upstream->fd, CHANNEL_READY, NULL, -1);
}

int
upstream_ask(struct upstream *upstream, enum channel_type request)
{
	return channel_send(upstream->fd, request, NULL, -1);
}

void
upstream_stop(struct upstream *upstream)
{
	timer_free_event(&upstream->readable);
}
