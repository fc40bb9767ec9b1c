/* SPDX-License-Identifier: ISC */
/*
 * One worker: whether it has room, what it is sent, what it confirms.  Engine,
 * unprivileged.  Each worker has a socket of its own: on a shared one, the
 * queue of a slow worker would hold up all.
 */
#include "engine/worker/worker.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/encode.h"
#include "engine/handoff/ledger.h"
#include "engine/handoff/persistent.h"

#include "wire/link.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static void
worker_on_room(void *owner)
{
	struct worker *worker = owner;

	worker->full = 0;
	worker->callbacks->on_room(worker->owner, worker);
}

static void
worker_on_writable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	worker_on_room(argument);
}

static void
worker_wait(struct worker *worker)
{
	worker->full = 1;
	timer_add_event(worker->writable, NULL);
}

void
worker_rest(struct worker *worker, uint64_t delay_us)
{
	worker->full = 1;
	event_del(worker->writable);
	timer_set(&worker->rest, delay_us);
}

void
worker_wake(struct worker *worker)
{
	if (!timer_is_set(&worker->rest))
		timer_set(&worker->rest, 0);
}

int
worker_is_receipted(
    const struct worker *worker, const struct record_endpoint *endpoint)
{
	return worker->kind == WORKER_RECEIPTED &&
	    endpoint->protocol == RECORD_AUTO;
}

size_t
worker_outstanding(const struct worker *worker)
{
	return worker->unreceipted.count + worker->outbox_count;
}

static int
worker_window_is_open(
    const struct worker *worker, const struct record_endpoint *endpoint)
{
	size_t outstanding = worker_outstanding(worker);

	if (worker->outbox_count == FDRECV_WIRE_BATCH_MAX)
		return 0;
	if (!worker_is_receipted(worker, endpoint))
		return worker->kind != WORKER_NEW || outstanding == 0;
	if (worker->counts_connections && endpoint->max_connections != 0 &&
	    worker->connections + outstanding >= endpoint->max_connections)
		return 0;
	if (outstanding == 0)
		return 1; /* the smallest window */
	return window_room(&worker->window, outstanding,
		   unreceipted_age_us(&worker->unreceipted),
		   unreceipted_silence_us(&worker->unreceipted),
		   endpoint->window) > 0;
}

int
worker_is_present(const struct worker *worker)
{
	return !worker->has_left && !worker->draining &&
	    worker->silence.state != SILENCE_STUCK;
}

int
worker_may_take(
    const struct worker *worker, const struct record_endpoint *endpoint)
{
	return worker_is_present(worker) && !worker->full && !worker->paused &&
	    worker->silence.state < SILENCE_BUSY &&
	    worker->quota->since_ms == 0 &&
	    worker_window_is_open(worker, endpoint);
}

int
worker_has_room(struct worker *worker, const struct record_endpoint *endpoint)
{
	struct pollfd mailbox = {.fd = worker->mailbox.fd, .events = POLLOUT};
	enum silence_state late;

	if (!worker_may_take(worker, endpoint) ||
	    !owner_quota_has_room(worker->quota))
		return 0;
	if (worker->outbox_count > 0)
		return 1; /* in a datagram for which there is room */
	/* It has read all that it was sent.  If others have filled the
	 * mailbox, sending fails. */
	if (worker->unreceipted.count == 0 &&
	    worker_is_receipted(worker, endpoint))
		return 1;
	if (reading_is_due(&worker->silence.reading, clock_us())) {
		late = worker->silence.state;
		silence_look(worker);
		if (worker->silence.reading.since_us == 0)
			return 1;
		if (worker->silence.state > late)
			return 0; /* is there another one? */
	}
	/* A connected socket polls writable only while the receiver's queue has
	 * room; see unix_dgram_poll() in the kernel. */
	if (poll(&mailbox, 1, 0) == 1)
		return 1;
	worker_wait(worker);
	return 0;
}

int
worker_put(struct worker *worker, struct handoff *handoff)
{
	TAILQ_INSERT_TAIL(&worker->outbox, handoff, entry);
	worker->outbox_count++;
	worker->quota->allowance -= worker->quota->allowance > 0;
	return worker->outbox_count == FDRECV_WIRE_BATCH_MAX ||
	    !worker_is_receipted(worker, handoff->endpoint);
}

/* Which process a datagram is for, see wire/datagram.h. */
static uint16_t
worker_addressee(const struct worker *worker)
{
	switch (worker->kind) {
	case WORKER_PLAIN:
		return FDRECV_WIRE_TO_ANYBODY;
	case WORKER_RECEIPTED:
		return (uint16_t)worker->instance;
	case WORKER_NEW:
		break;
	}
	return FDRECV_WIRE_TO_UNKNOWN;
}

/* The connection on which receipts come: when it ends, the worker is dead.  A
 * program that counts its connections may have left them to another process,
 * and several processes cannot be told apart: then there is none. */
static const struct receipt_conn *
worker_witness(const struct worker *worker)
{
	const struct receipt_conn *conn = TAILQ_FIRST(&worker->conns.head);

	if (worker->kind == WORKER_PLAIN || worker->counts_connections ||
	    worker->shared)
		return NULL;
	return conn != NULL ? conn : TAILQ_FIRST(&worker->links.head);
}

static int
worker_send_datagram(
    struct worker *worker, struct handoff *const *handoffs, size_t count)
{
	int fds[FDRECV_WIRE_BATCH_MAX + 1];
	int has_link = worker->link != -1 &&
	    handoffs[0]->endpoint->protocol == RECORD_AUTO;
	struct encode encode = {.bytes = worker->context->datagram};
	struct encode_sender sender = {.epoch = worker->context->epoch,
	    .addressee = worker_addressee(worker),
	    .rendezvous = worker->context->rendezvous_path};
	const struct receipt_conn *witness = worker_witness(worker);
	struct ledger *ledger = worker->context->bounded->ledger;
	int sent;

	encode_datagram(&encode, &sender, worker->sequence, handoffs, count);
	for (size_t i = 0; i < count; i++) {
		fds[i] = handoffs[i]->fd;
		handoffs[i]->sequence = worker->sequence + i;
	}
	fds[count] = worker->link;
	sent = mailbox_send(worker->mailbox.fd, encode.bytes, encode.size, fds,
	    count + (size_t)has_link,
	    ledger_send(ledger, handoffs, count,
		witness == NULL ? -1 : witness->fd,
		witness == NULL ? 0 : witness->ledger_id));
	ledger_on_sent(ledger, handoffs, count, sent == 0);
	if (sent == -1) {
		if (errno == EAGAIN)
			worker_wait(worker);
		return -1;
	}
	if (has_link)
		worker->link = fd_close(worker->link);
	worker->last_datagram = worker->sequence;
	worker->sequence += count;
	for (size_t i = 0; i < count; i++)
		handoffs[i]->sent = 1;
	return 0;
}

static void
worker_on_sent(struct worker *worker, struct handoff *handoff)
{
	int receipted = worker->kind != WORKER_PLAIN &&
	    handoff->endpoint->protocol == RECORD_AUTO;
	struct receipt_conn *conn;

	handoff->stats->handed_off++;
	if (receipted)
		unreceipted_add(&worker->unreceipted, handoff);
	silence_on_sent(worker, handoff, receipted);
	if (receipted) {
		TAILQ_FOREACH (conn, &worker->conns.head, entry)
			receipt_ring_expect(&conn->ring);
		return;
	}
	handoff->stats->plain++;
	handoff_free(handoff);
}

int
worker_send(struct worker *worker)
{
	struct handoff *handoffs[FDRECV_WIRE_BATCH_MAX], *handoff;
	uint64_t now = clock_us();
	size_t count = 0;

	TAILQ_FOREACH (handoff, &worker->outbox, entry)
		handoffs[count++] = handoff;
	if (worker_send_datagram(worker, handoffs, count) == -1)
		return -1;
	TAILQ_INIT(&worker->outbox);
	worker->outbox_count = 0;
	for (size_t i = 0; i < count; i++) {
		handoffs[i]->sent_us = now;
		worker_on_sent(worker, handoffs[i]);
	}
	return 0;
}

int
worker_lend(struct worker *worker, struct handoff *handoff)
{
	if (worker_send_datagram(worker, &handoff, 1) == -1)
		return -1;
	worker->quota->allowance -= worker->quota->allowance > 0;
	worker->silence.reading.count++;
	return 0;
}

static int
worker_init_events(struct worker *worker, int mailbox)
{
	struct event_base *base = worker->context->base;

	worker->writable =
	    event_new(base, mailbox, EV_WRITE, worker_on_writable, worker);
	if (worker->writable == NULL ||
	    timer_init(&worker->rest, base, worker_on_room, worker) == -1)
		return -1;
	return timer_init(&worker->check, base, silence_on_time, worker);
}

void
worker_note(const struct worker *worker, unsigned int flags)
{
	const struct mailbox *mailbox = &worker->mailbox;
	struct persistent *persistent = worker->context->persistent;

	if (flags == 0)
		persistent_forget(persistent, mailbox->device, mailbox->inode);
	else
		persistent_note(
		    persistent, mailbox->device, mailbox->inode, flags);
}

/* Applies what an earlier engine has learnt of the mailbox. */
static void
worker_recall(struct worker *worker)
{
	unsigned int flags = persistent_find(worker->context->persistent,
	    worker->mailbox.device, worker->mailbox.inode);

	worker->knows_receipts =
	    worker->mailbox.takes_link || (flags & PERSISTENT_RECEIPTED) != 0;
	worker->hello_expected = worker->knows_receipts;
	worker->said_hello = (flags & PERSISTENT_RECEIPTED) != 0;
	worker->shared = worker->was_shared = (flags & PERSISTENT_SHARED) != 0;
	worker->kind = flags & (PERSISTENT_PLAIN | PERSISTENT_SHARED) ?
	    WORKER_PLAIN :
	    WORKER_NEW;
	worker->draining = (flags & PERSISTENT_DRAINING) != 0;
}

struct worker *
worker_new(struct worker_context *context, const char *name,
    struct mailbox *mailbox, const struct worker_callbacks *callbacks,
    void *owner)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL)
		return NULL;
	worker->context = context;
	worker->callbacks = callbacks;
	worker->owner = owner;
	worker->mailbox = (struct mailbox){.node = -1, .fd = -1};
	worker->loan.pidfd = -1;
	worker->link = -1;
	TAILQ_INIT(&worker->conns.head);
	TAILQ_INIT(&worker->links.head);
	TAILQ_INIT(&worker->outbox);
	unreceipted_init(
	    &worker->unreceipted, &context->closing, context->bounded);
	window_init(&worker->window);
	share_init(&worker->share, FDRECV_WIRE_WEIGHT, 0);
	if (owner_quota_join(context->quotas, worker, mailbox->owner) == -1 ||
	    worker_init_events(worker, mailbox->fd) == -1 ||
	    text_copy(worker->name, sizeof(worker->name), name) == -1) {
		worker_free(worker);
		return NULL;
	}
	worker->mailbox = *mailbox;
	*mailbox = (struct mailbox){.node = -1, .fd = -1};
	worker_recall(worker);
	return worker;
}

void
worker_hang_up(struct worker *worker)
{
	struct receipt_conn *conn;

	while ((conn = TAILQ_FIRST(&worker->conns.head)) != NULL)
		receipt_conn_free(conn);
}

static void
worker_close_link(struct worker *worker)
{
	struct receipt_conn *conn;

	worker->link = fd_close(worker->link);
	while ((conn = TAILQ_FIRST(&worker->links.head)) != NULL)
		receipt_conn_free(conn);
}

void
worker_free(struct worker *worker)
{
	timer_free_event(&worker->writable);
	timer_done(&worker->rest);
	timer_done(&worker->check);
	worker_hang_up(worker);
	owner_quota_leave(worker);
	unreceipted_end_doubt(&worker->unreceipted);
	unreceipted_release(&worker->unreceipted);
	handoff_free_list(&worker->outbox);
	worker_close_link(worker);
	mailbox_close(&worker->mailbox);
	fd_close(worker->loan.pidfd);
	free(worker);
}
