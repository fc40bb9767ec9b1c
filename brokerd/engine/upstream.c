/* SPDX-License-Identifier: ISC */
/*
 * The engine's end of the channel to the monitor.  Engine, unprivileged.  The
 * channel decides which messages may be received in which phase; the phase is
 * kept here.
 */
#include "engine/upstream.h"

#include "base/fd.h"
#include "engine/timer.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UPSTREAM_LINES_MAX (1 << 24) /* bytes of a report that are read */

static void
upstream_on_message(
    struct upstream *upstream, struct channel_message *message, int fd)
{
	if (message->header.type == CHANNEL_START)
		upstream->phase = CHANNEL_SERVING;
	else if (message->header.type == CHANNEL_DRAIN)
		upstream->phase = CHANNEL_DRAINING;
	else if (message->header.type == CHANNEL_PING)
		channel_send(upstream->fd, CHANNEL_PONG, NULL, -1);
	else if (message->header.type == CHANNEL_RESULT ||
	    message->header.type == CHANNEL_REPORT)
		message->u.result.text[CHANNEL_TEXT_SIZE - 1] = '\0';
	upstream->callbacks->on_message(upstream->owner, message, fd);
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
upstream_lines(void)
{
	return memfd_create("brokerd-lines", MFD_CLOEXEC);
}

char *
upstream_text(int fd, const char *text)
{
	size_t length = 0, size = strlen(text) + 1;
	struct stat st;
	ssize_t got;
	char *all;

	if (fd != -1 && fstat(fd, &st) == 0)
		length = st.st_size < UPSTREAM_LINES_MAX ? (size_t)st.st_size :
							   UPSTREAM_LINES_MAX;
	all = calloc(1, length + size);
	got = all == NULL ? -1 : pread(fd, all, length, 0);
	fd_close(fd);
	if (all == NULL)
		return NULL;
	length = got > 0 ? (size_t)got : 0;
	memcpy(all + length, text, size);
	if (length > 0 && text[0] == '\0')
		all[length - 1] = '\0'; /* a line's end */
	return all;
}

void
upstream_stop(struct upstream *upstream)
{
	timer_free_event(&upstream->readable);
}
