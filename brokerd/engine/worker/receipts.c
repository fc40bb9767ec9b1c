/* SPDX-License-Identifier: ISC */
/*
 * Messages of the process behind a mailbox: HELLO, receipts, and its end.
 * Engine, unprivileged.  While processes share a mailbox they cannot be told
 * apart, so their receipts are ignored.
 */
#include "engine/worker/receipts.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/ledger.h"
#include "engine/handoff/persistent.h"
#include "engine/worker/receipt_message.h"

#include "wire/link.h"

#include <string.h>

#define RECEIPTS_CONNS 4        /* of a worker */
#define RECEIPTS_REST_US 100000 /* for a worker out of descriptors */

static void
receipts_on_taken(
    void *owner, uint64_t sequence, uint32_t count, uint64_t given_us)
{
	struct worker *worker = owner;
	struct receipt_conn *conn;
	size_t before;

	if (worker->shared)
		return;
	/* It has read what came before. */
	unreceipted_end_doubt(&worker->unreceipted);
	before = worker->unreceipted.count;
	unreceipted_on_taken(
	    &worker->unreceipted, &worker->window, sequence, count, given_us);
	worker->quota->links.brought += before - worker->unreceipted.count;
	silence_on_answer(worker);
	TAILQ_FOREACH (conn, &worker->conns.head, entry) {
		if (worker->window.is_quick)
			receipt_ring_be_lazy(&conn->ring);
		if (worker->unreceipted.count == 0)
			receipt_ring_expect_none(&conn->ring);
	}
}

static void
receipts_on_unread(
    struct worker *worker, const struct fdrecv_wire_receipt *receipt)
{
	const struct handoff *doubtful = worker->unreceipted.doubtful;

	if (doubtful != NULL && doubtful->sequence >= receipt->sequence &&
	    doubtful->sequence - receipt->sequence < receipt->count)
		worker->callbacks->on_return(worker->owner,
		    unreceipted_take_doubtful(&worker->unreceipted));
}

/* The worker could not receive them.  The last one goes back first, since each
 * goes before all that wait. */
static void
receipts_on_lost(
    struct worker *worker, const struct fdrecv_wire_receipt *receipt)
{
	struct handoff *handoff;

	worker_rest(worker, RECEIPTS_REST_US);
	window_init(&worker->window);
	worker->loan.count = 0; /* it may have lost a lent socket as well */
	while ((handoff = unreceipted_take_last(&worker->unreceipted,
		    receipt->sequence, receipt->count)) != NULL) {
		worker->quota->links.brought++;
		if (receipt->kind == FDRECV_WIRE_LIMIT)
			handoff->stats->returned_limit++;
		else
			handoff->stats->returned_denied++;
		worker->callbacks->on_return(worker->owner, handoff);
	}
}

/* The numbers of another engine's hand-offs mean nothing here. */
static void
receipts_on_receipt(struct worker *worker, struct receipt_conn *conn, int ours,
    const struct fdrecv_wire_receipt *receipt)
{
	if (receipt->kind == FDRECV_WIRE_PAUSE ||
	    receipt->kind == FDRECV_WIRE_RESUME)
		conn->hello.paused = receipt->kind == FDRECV_WIRE_PAUSE;
	if (receipt->kind == FDRECV_WIRE_UNREAD && ours)
		receipts_on_unread(worker, receipt);
	ours &= receipt->sequence < worker->sequence;
	if (worker->shared)
		return;
	switch (receipt->kind) {
	case FDRECV_WIRE_TAKEN:
		if (ours)
			receipts_on_taken(worker, receipt->sequence,
			    receipt->count, clock_us());
		return;
	case FDRECV_WIRE_LIMIT:
	case FDRECV_WIRE_DENIED:
		if (ours)
			receipts_on_lost(worker, receipt);
		return;
	case FDRECV_WIRE_PAUSE:
	case FDRECV_WIRE_RESUME:
		worker->paused = conn->hello.paused;
		worker->silence.answered_us = clock_us();
		return;
	default:
		return; /* of a later version */
	}
}

/* Several processes read the mailbox. */
static void
receipts_on_shared(struct worker *worker)
{
	worker->shared = 1;
	worker->has_left = 0;
	silence_become_plain(worker);
	worker_note(worker, PERSISTENT_SHARED);
	worker_wake(worker);
}

static int
receipts_on_message(void *owner, struct receipt_conn *conn,
    const unsigned char *bytes, size_t size)
{
	struct worker *worker = owner;
	struct fdrecv_wire_receipts head;
	struct fdrecv_wire_receipt receipt;
	struct hello hello;

	if (hello_decode(bytes, size, &hello) == 0) {
		/* A child of the process has the connection, and no other. */
		if (hello.instance != conn->hello.instance)
			receipts_on_shared(worker);
		return 0;
	}
	if (receipt_message_decode(bytes, size, &head) == -1)
		return 0;
	conn->hello.connections = head.connections;
	if (!worker->shared)
		worker->connections = head.connections;
	for (size_t i = 0; i < head.count; i++) {
		receipt_message_at(bytes, &head, i, &receipt);
		receipts_on_receipt(worker, conn,
		    head.epoch == worker->context->epoch, &receipt);
	}
	if (!worker->shared)
		silence_on_answer(worker);
	return 0;
}

static void
receipts_on_read(void *owner)
{
	struct worker *worker = owner;

	owner_quota_hasten(worker->quota);
	worker->callbacks->on_room(worker->owner, worker);
}

/* The process that said this HELLO is the one behind the mailbox. */
static void
receipts_begin(struct worker *worker, const struct receipt_conn *conn)
{
	const struct hello *hello = &conn->hello;

	worker->shared = worker->has_successor = 0;
	worker->loan.pid = conn->peer.pid;
	worker->kind = WORKER_RECEIPTED;
	worker_note(worker, PERSISTENT_RECEIPTED);
	worker->instance = hello->instance;
	worker->counts_connections = hello->counts_connections;
	worker->connections = hello->connections;
	worker->paused = hello->paused;
	share_init(&worker->share, hello->weight, worker->share.pass);
	silence_on_answer(worker);
	worker_wake(worker);
}

/* One of those that shared the mailbox has ended: a parent, for example, that
 * took its time.  If one is left, it is an ordinary worker. */
static void
receipts_on_sharer_end(struct worker *worker)
{
	const struct receipt_conn *conn, *first;

	if (worker->was_shared)
		return;
	first = TAILQ_FIRST(&worker->conns.head);
	TAILQ_FOREACH (conn, &worker->conns.head, entry)
		if (conn->hello.instance != first->hello.instance)
			return;
	if (first == NULL)
		return;
	worker->has_survivor = 0; /* of the one that ended */
	receipts_begin(worker, first);
}

int
receipts_are_anothers(struct worker *worker)
{
	struct receipt_conn *conn = worker->ending;
	int shared = worker->shared;

	worker->ending = NULL;
	if (conn == NULL)
		return 0;
	worker->has_survivor |= conn->has_survivor;
	if (worker->loan.count > 0 && worker->loan.pidfd == -1)
		worker->loan.pidfd = fd_steal(&conn->peer.pidfd);
	if (!conn->has_survivor)
		ledger_set(
		    worker->context->bounded->ledger, conn->fd, LEDGER_DEAD);
	receipt_conn_free(conn);
	if (shared)
		receipts_on_sharer_end(worker);
	return shared;
}

static void
receipts_on_end(void *owner, struct receipt_conn *conn)
{
	struct worker *worker = owner;

	worker->ending = conn;
	worker->callbacks->on_death(worker->owner, worker);
}

/* Until it is known what the child does, it gets nothing. */
static void
receipts_on_survivor(void *owner)
{
	struct worker *worker = owner;

	if (!worker->shared)
		worker->has_left = 1;
}

static const struct receipt_conn_callbacks receipts_callbacks = {
    .on_survivor = receipts_on_survivor,
    .on_message = receipts_on_message,
    .on_taken = receipts_on_taken,
    .on_read = receipts_on_read,
    .on_end = receipts_on_end,
};

void
receipts_on_hello(struct worker *worker, struct receipt_conn *conn)
{
	struct receipt_conn *oldest = TAILQ_FIRST(&worker->conns.head);
	const struct hello *hello = &conn->hello;
	int is_other = oldest != NULL && worker->instance != hello->instance;

	/* It waits until the end of the process before it has been handled. */
	if (is_other && hello->dead != 0 &&
	    hello->dead == (uint16_t)worker->instance && !worker->shared) {
		worker->has_successor = 1;
		receipt_conn_expect_end(oldest);
		return;
	}
	if (is_other && oldest->has_survivor)
		receipt_conn_expect_end(oldest);
	worker->conns.callbacks = &receipts_callbacks;
	worker->conns.owner = worker;
	worker->conns.share = &worker->quota->links;
	receipt_conn_claim(conn, &worker->conns);
	if (worker->unreceipted.count > 0)
		receipt_ring_expect(&conn->ring);
	receipt_conn_limit(&worker->conns,
	    owner_quotas_may_join(worker->quota->quotas, worker->quota->uid) ?
		RECEIPTS_CONNS :
		1,
	    worker->ending);
	if (worker->shared)
		return;
	if (is_other) {
		receipts_on_shared(worker);
		return;
	}
	/* A new process at the mailbox of one that died: it was lent nothing,
	 * and no child of it is known. */
	if (oldest == NULL && worker->instance != 0) {
		worker->has_left = worker->has_survivor = 0;
		worker->loan.count = 0;
		worker->loan.pidfd = fd_close(worker->loan.pidfd);
	}
	receipts_begin(worker, conn);
}

/* Only the process that has the mailbox can have got the link. */
static int
receipts_on_link_message(void *owner, struct receipt_conn *conn,
    const unsigned char *bytes, size_t size)
{
	if (hello_decode(bytes, size, &conn->hello) == -1)
		return -1;
	conn->state = RECEIPT_CONN_WAITING;
	receipts_on_hello(owner, conn);
	return 0;
}

void
receipts_claim_link(struct worker *worker)
{
	struct receipt_conn *conn = TAILQ_FIRST(&worker->links.head);

	if (conn != NULL && conn->state == RECEIPT_CONN_WAITING)
		receipts_on_hello(worker, conn);
}

/* It was lost on its way, or the worker did not want it, or has died: no HELLO
 * will come.  A worker that has said one to an earlier engine would have done
 * so before anybody got what came with the link: nobody has it. */
static void
receipts_lose_link(struct worker *worker, struct receipt_conn *conn)
{
	static const struct fdrecv_wire_receipt all = {
	    .count = UINT32_MAX, .kind = FDRECV_WIRE_LIMIT};

	receipt_conn_free(conn);
	if (worker->kind == WORKER_NEW && worker->said_hello) {
		receipts_on_lost(worker, &all);
		return;
	}
	worker->hello_expected = 0;
	if (worker->kind == WORKER_NEW)
		timer_set(&worker->check, 0);
}

static void
receipts_on_link_end(void *owner, struct receipt_conn *conn)
{
	struct worker *worker = owner;

	receipts_lose_link(worker, conn);
	worker->callbacks->on_room(worker->owner, worker);
}

int
receipts_offer_link(
    struct worker *worker, const struct record_endpoint *endpoint)
{
	static const struct receipt_conn_callbacks callbacks = {
	    .on_message = receipts_on_link_message,
	    .on_end = receipts_on_link_end};

	if (!worker->mailbox.takes_link || worker->conns.count > 0 ||
	    worker->links.count > 0 || worker->shared ||
	    endpoint->protocol != RECORD_AUTO)
		return 0;
	worker->links.callbacks = &callbacks;
	worker->links.owner = worker;
	return receipt_conn_new_link(
		   worker->context, &worker->links, &worker->link) == NULL &&
		worker->said_hello ?
	    -1 :
	    0;
}

void
receipts_catch_up_link(struct worker *worker)
{
	struct receipt_conn *conn = TAILQ_FIRST(&worker->links.head);

	if (conn != NULL && receipt_conn_catch_up(conn) == -1)
		receipts_lose_link(worker, conn);
}

uint32_t
receipts_look(struct worker *worker, int ask)
{
	struct receipt_conn *conn;
	uint32_t count = 0;

	TAILQ_FOREACH (conn, &worker->conns.head, entry) {
		if (ask)
			receipt_ring_ask(&conn->ring);
		count += receipt_conn_read_ring(conn);
	}
	if (count > 0 && worker->unlinked)
		worker_wake(worker); /* it may have finished */
	return count;
}

void
receipts_catch_up(struct worker *worker)
{
	struct receipt_conn *conn;

	TAILQ_FOREACH (conn, &worker->conns.head, entry)
		receipt_conn_read_all(conn);
}
