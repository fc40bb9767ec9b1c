/* SPDX-License-Identifier: ISC */
/*
 * Sending to one worker.  Engine, unprivileged.  Each worker has a socket of
 * its own: on a shared one, the queue of a slow worker would hold up all.
 */
#include "engine/worker/worker.h"

#include "base/clock.h"
#include "base/text.h"
#include "engine/handoff/encode.h"
#include "engine/worker/receipt_conn.h"
#include "engine/worker/rendezvous.h"
#include "engine/worker/unreceipted.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static void
worker_on_event(evutil_socket_t fd, short what, void *argument)
{
	struct worker *worker = argument;

	(void)fd;
	(void)what;
	worker->full = 0;
	worker->user->on_room(worker, worker->argument); /* may free worker */
}

struct worker *
worker_new(struct core *core, const char *name, struct mailbox *mailbox,
    const struct worker_user *user, void *argument)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	enum stats_kind known;

	if (worker == NULL)
		return NULL;
	worker->core = core;
	worker->user = user;
	worker->argument = argument;
	worker->mailbox = (struct mailbox){.node = -1, .fd = -1};
	TAILQ_INIT(&worker->links);
	TAILQ_INIT(&worker->outbox);
	TAILQ_INIT(&worker->unreceipted);
	window_init(&worker->window);
	worker->writable = event_new(
	    core->base, mailbox->fd, EV_WRITE, worker_on_event, worker);
	worker->rested = event_new(core->base, -1, 0, worker_on_event, worker);
	worker->look =
	    event_new(core->base, -1, 0, unreceipted_on_look, worker);
	if (worker->writable == NULL || worker->rested == NULL ||
	    worker->look == NULL ||
	    text_copy(worker->name, sizeof(worker->name), name) == -1) {
		worker_free(worker);
		return NULL;
	}
	worker->mailbox = *mailbox;
	*mailbox = (struct mailbox){.node = -1, .fd = -1};
	known = stats_find_kind(
	    &core->stats, worker->mailbox.device, worker->mailbox.inode);
	worker->expected = known == STATS_RECEIPTED;
	worker->draining = stats_is_draining(
	    &core->stats, worker->mailbox.device, worker->mailbox.inode);
	if (known == STATS_PLAIN)
		worker->kind = WORKER_PLAIN;
	return worker;
}

static void
worker_free_events(struct worker *worker)
{
	if (worker->writable != NULL)
		event_free(worker->writable);
	if (worker->rested != NULL)
		event_free(worker->rested);
	if (worker->look != NULL)
		event_free(worker->look);
}

void
worker_free(struct worker *worker)
{
	struct handoff *handoff;
	struct receipt_conn *link;

	worker_free_events(worker);
	unreceipted_release(worker);
	while ((handoff = TAILQ_FIRST(&worker->outbox)) != NULL) {
		TAILQ_REMOVE(&worker->outbox, handoff, entry);
		handoff_free(handoff);
	}
	while ((link = TAILQ_FIRST(&worker->links)) != NULL)
		receipt_conn_free(link);
	mailbox_close(&worker->mailbox);
	free(worker);
}

static void
worker_wait(struct worker *worker)
{
	worker->full = 1;
	event_add(worker->writable, NULL);
}

void
worker_rest(struct worker *worker, unsigned int delay_us)
{
	struct timeval delay = {
	    .tv_sec = delay_us / 1000000, .tv_usec = delay_us % 1000000};

	worker->full = 1;
	event_del(worker->writable);
	event_add(worker->rested, &delay);
}

void
worker_wake(struct worker *worker)
{
	static const struct timeval now = {0, 0};

	if (!event_pending(worker->rested, EV_TIMEOUT, NULL))
		event_add(worker->rested, &now);
}

int
worker_is_receipted(
    const struct worker *worker, const struct record_endpoint *endpoint)
{
	return worker->kind == WORKER_RECEIPTED &&
	    endpoint->protocol == RECORD_AUTO;
}

/* How many more of that endpoint it may be given, the mailbox aside. */
static size_t
worker_window(
    const struct worker *worker, const struct record_endpoint *endpoint)
{
	const struct handoff *oldest = TAILQ_FIRST(&worker->unreceipted);
	size_t outstanding = worker->unreceipted_count + worker->outbox_count;
	size_t connections = worker->connections + outstanding;

	if (worker->outbox_count == FDRECV_WIRE_BATCH_MAX)
		return 0;
	if (!worker_is_receipted(worker, endpoint))
		return worker->kind != WORKER_NEW || outstanding == 0;
	if (worker->counted && endpoint->max_connections != 0 &&
	    connections >= endpoint->max_connections)
		return 0;
	return window_room(&worker->window, outstanding,
	    oldest == NULL ? 0 : clock_us() - oldest->sent_us,
	    endpoint->window);
}

int
worker_may_take(
    const struct worker *worker, const struct record_endpoint *endpoint)
{
	return !worker->full && !worker->left && !worker->paused &&
	    !worker->draining && worker_window(worker, endpoint) > 0;
}

int
worker_has_room(struct worker *worker, const struct record_endpoint *endpoint)
{
	struct pollfd mailbox = {.fd = worker->mailbox.fd, .events = POLLOUT};

	if (!worker_may_take(worker, endpoint))
		return 0;
	if (worker->outbox_count > 0)
		return 1; /* of the datagram that has room already */
	/* All that it was sent has been read.  Where somebody else has filled
	 * the mailbox, sending will say so. */
	if (worker->unreceipted_count == 0 &&
	    worker_is_receipted(worker, endpoint))
		return 1;
	/* Connected, the socket polls writable only while the receiver's
	 * queue has room; see unix_dgram_poll() in the kernel. */
	if (poll(&mailbox, 1, 0) == 1)
		return 1;
	worker_wait(worker);
	return 0;
}

void
worker_put(struct worker *worker, struct handoff *handoff)
{
	TAILQ_INSERT_TAIL(&worker->outbox, handoff, entry);
	worker->outbox_count++;
	share_take(&worker->share);
}

static int
worker_send_bytes(struct worker *worker, const struct encode *encode,
    const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDRECV_WIRE_BATCH_MAX * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = encode->bytes, .iov_len = encode->size};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *cmsg;

	memset(&control, 0, msg.msg_controllen);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	if (sendmsg(worker->mailbox.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    -1)
		return 0;
	if (errno == EAGAIN)
		worker_wait(worker);
	return -1;
}

static void
worker_encode_header(struct worker *worker, struct encode *encode, size_t count)
{
	encode_header(encode, rendezvous_path(worker->core->rendezvous),
	    worker->core->epoch, worker->sequence, count);
}

int
worker_send(struct worker *worker)
{
	struct encode encode = {.bytes = worker->core->datagram};
	struct handoff *handoff;
	int fds[FDRECV_WIRE_BATCH_MAX];
	uint64_t now = clock_us();
	size_t count = 0, dropped;

	dropped = handoff_drop_dead(&worker->outbox);
	worker->outbox_count -= dropped;
	if (dropped > 0) /* no receipt will say that there is room again */
		worker_wake(worker);
	handoff = TAILQ_FIRST(&worker->outbox);
	if (handoff == NULL)
		return 0;
	if (handoff->endpoint->protocol == RECORD_AUTO)
		worker_encode_header(worker, &encode, worker->outbox_count);
	else
		encode_plain(&encode, handoff);
	TAILQ_FOREACH (handoff, &worker->outbox, entry) {
		if (handoff->endpoint->protocol == RECORD_AUTO)
			encode_record(&encode, handoff);
		fds[count++] = handoff->fd;
	}
	if (worker_send_bytes(worker, &encode, fds, count) == -1)
		return -1;
	while ((handoff = TAILQ_FIRST(&worker->outbox)) != NULL) {
		TAILQ_REMOVE(&worker->outbox, handoff, entry);
		handoff->sequence = worker->sequence++;
		handoff->sent = 1;
		handoff->sent_us = now;
		unreceipted_expect(worker, handoff);
	}
	worker->outbox_count = 0;
	return 0;
}

int
worker_lend(struct worker *worker, struct handoff *handoff)
{
	struct encode encode = {.bytes = worker->core->datagram};

	if (handoff->endpoint->protocol == RECORD_AUTO) {
		worker_encode_header(worker, &encode, 1);
		encode_record(&encode, handoff);
	} else {
		encode_plain(&encode, handoff);
	}
	if (worker_send_bytes(worker, &encode, &handoff->fd, 1) == -1)
		return -1;
	worker->sequence++;
	handoff->sent = 1;
	return 0;
}
