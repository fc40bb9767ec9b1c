/* SPDX-License-Identifier: ISC */
/*
 * Clients that wait at a lent socket that no program accepts from.  Engine,
 * unprivileged.  The kernel does not tell when a program accepts.  A queue that
 * did not become shorter between looks of which each comes twice as late as
 * the one before is taken for one that nobody reads, and looked at closely
 * before that is said: it may only grow faster than a program takes from it.
 */
#include "engine/listener/untaken.h"

#include "base/clock.h"

#include <errno.h>
#include <event2/event.h>

#define UNTAKEN_FIRST_MS 1 /* a program that waits has accepted by then */
#define UNTAKEN_CLOSE_MS 4 /* between close looks */
#define UNTAKEN_CLOSE_LOOKS 250

static void
untaken_ask_kernel(struct untaken *untaken, struct socket_queue *out_queue)
{
	socket_queue_ask(untaken->diag, untaken->sock, untaken->fd, out_queue);
}

static void
untaken_set_look(struct untaken *untaken, uint64_t delay_ms)
{
	timer_set(&untaken->look, delay_ms * 1000);
}

/* A client has come, the first one since the last that was taken. */
static void
untaken_begin(struct untaken *untaken, const struct socket_queue *queue)
{
	untaken->since_ms = clock_ms();
	untaken->size = queue->size;
	untaken->delay_ms = UNTAKEN_FIRST_MS;
	untaken->close_looks = 0;
	untaken_set_look(untaken, untaken->delay_ms);
}

/* Clients are taken. */
static void
untaken_end(struct untaken *untaken)
{
	int was_told = untaken->is_told;

	untaken->is_told = 0;
	if (was_told)
		untaken->on_change(untaken->owner);
	untaken->since_ms = 0;
	untaken_set_look(untaken, UNTAKEN_REST_MS);
}

static void
untaken_on_arrival(evutil_socket_t fd, short what, void *argument)
{
	struct untaken *untaken = argument;
	struct socket_queue queue;

	(void)fd;
	(void)what;
	untaken_ask_kernel(untaken, &queue);
	untaken_begin(untaken, &queue);
}

/* A queue that is full at every look counts as one that nobody reads. */
static int
untaken_has_shrunk(
    const struct untaken *untaken, const struct socket_queue *queue)
{
	return !queue->waits ||
	    (queue->is_known && queue->size < untaken->size);
}

uint64_t
untaken_ask(struct untaken *untaken, const struct socket_queue *queue)
{
	if (untaken->since_ms == 0)
		return 0;
	if (untaken_has_shrunk(untaken, queue))
		untaken_end(untaken);
	untaken->size = queue->size;
	return untaken->since_ms;
}

static void
untaken_on_look(void *owner)
{
	struct untaken *untaken = owner;
	struct socket_queue queue;

	if (untaken->since_ms == 0) {
		timer_add_event(untaken->arrival, NULL);
		return;
	}
	untaken_ask_kernel(untaken, &queue);
	if (untaken_ask(untaken, &queue) == 0)
		return;
	if (!untaken->is_told && untaken->limit_ms != 0 &&
	    clock_ms() - untaken->since_ms >= untaken->limit_ms) {
		if (untaken->close_looks++ < UNTAKEN_CLOSE_LOOKS) {
			untaken_set_look(untaken, UNTAKEN_CLOSE_MS);
			return;
		}
		untaken->is_told = 1;
		untaken->on_change(untaken->owner);
	}
	untaken->delay_ms *= 2;
	if (untaken->delay_ms > UNTAKEN_REST_MS)
		untaken->delay_ms = UNTAKEN_REST_MS;
	untaken_set_look(untaken, untaken->delay_ms);
}

int
untaken_start(struct untaken *untaken, struct event_base *base,
    struct socket_diag *diag, const struct record_socket *sock, int fd)
{
	untaken->diag = diag;
	untaken->sock = sock;
	untaken->fd = fd;
	if (timer_init(&untaken->look, base, untaken_on_look, untaken) == -1)
		return -1;
	untaken->arrival =
	    event_new(base, fd, EV_READ, untaken_on_arrival, untaken);
	if (untaken->arrival != NULL && event_add(untaken->arrival, NULL) == 0)
		return 0;
	untaken_stop(untaken);
	errno = ENOMEM;
	return -1;
}

void
untaken_stop(struct untaken *untaken)
{
	timer_free_event(&untaken->arrival);
	timer_done(&untaken->look);
	untaken->since_ms = 0;
}
