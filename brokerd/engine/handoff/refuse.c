/* SPDX-License-Identifier: ISC */
/*
 * Refuses connections.  Engine, unprivileged.  Nothing here waits for a client.
 */
#include "engine/handoff/refuse.h"

#include "engine/handoff/bounded_close.h"
#include "engine/handoff/ledger.h"
#include "engine/policy/errors.h"
#include "engine/timer.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define REFUSE_MAX 256        /* messages under way */
#define REFUSE_READ_MAX 16384 /* bytes of a request that are discarded */
#define REFUSE_TIME_US 1000000

struct refusal {
	TAILQ_ENTRY(refusal) entry;
	struct refusals *refusals;
	struct event *readable;
	struct timer timer;
	int fd;
	size_t read;
};

void
refuse_init(struct refusals *refusals, struct event_base *base,
    struct bounded_close *bounded)
{
	*refusals = (struct refusals){.base = base, .bounded = bounded};
	TAILQ_INIT(&refusals->list);
}

static void
refuse_end(struct refusal *refusal)
{
	TAILQ_REMOVE(&refusal->refusals->list, refusal, entry);
	refusal->refusals->count--;
	timer_free_event(&refusal->readable);
	timer_done(&refusal->timer);
	bounded_close_fd(refusal->refusals->bounded, refusal->fd);
	free(refusal);
}

void
refuse_done(struct refusals *refusals)
{
	while (!TAILQ_EMPTY(&refusals->list))
		refuse_end(TAILQ_FIRST(&refusals->list));
}

static void
refuse_on_time(void *owner)
{
	refuse_end(owner);
}

static void
refuse_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct refusal *refusal = argument;
	char request[4096];
	ssize_t n;

	(void)what;
	bounded_close_begin(refusal->refusals->bounded);
	n = recv(fd, request, sizeof(request), MSG_DONTWAIT);
	bounded_close_end(refusal->refusals->bounded);
	if (n > 0)
		refusal->read += (size_t)n;
	if (n == 0 || (n == -1 && !errors_is_passing(errno)) ||
	    refusal->read >= REFUSE_READ_MAX)
		refuse_end(refusal);
}

/* Takes fd.  If there are too many, the oldest one has had its time: clients
 * who do not end must not take it from others. */
static void
refuse_read(struct refusals *refusals, int fd)
{
	struct refusal *refusal = calloc(1, sizeof(*refusal));

	if (refusals->count == REFUSE_MAX)
		refuse_end(TAILQ_FIRST(&refusals->list));
	if (refusal == NULL) {
		bounded_close_fd(refusals->bounded, fd);
		return;
	}
	refusal->refusals = refusals;
	refusal->fd = fd;
	TAILQ_INSERT_TAIL(&refusals->list, refusal, entry);
	refusals->count++;
	refusal->readable = event_new(refusals->base, fd, EV_READ | EV_PERSIST,
	    refuse_on_readable, refusal);
	if (refusal->readable == NULL ||
	    timer_init(&refusal->timer, refusals->base, refuse_on_time,
		refusal) == -1) {
		refuse_end(refusal);
		return;
	}
	event_add(refusal->readable, NULL);
	timer_set(&refusal->timer, REFUSE_TIME_US);
}

void
refuse_connection(
    struct refusals *refusals, const struct record_endpoint *endpoint, int fd)
{
	struct linger reset = {1, 0};

	ledger_set(refusals->bounded->ledger, fd, LEDGER_OTHER);
	if (endpoint->refuse == RECORD_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (endpoint->refuse == RECORD_MESSAGE &&
	    send(fd, endpoint->refuse_message, endpoint->refuse_length,
		MSG_DONTWAIT | MSG_NOSIGNAL) != -1 &&
	    shutdown(fd, SHUT_WR) == 0)
		refuse_read(refusals, fd);
	else
		bounded_close_fd(refusals->bounded, fd);
}
