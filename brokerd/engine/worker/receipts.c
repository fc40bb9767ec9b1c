/* SPDX-License-Identifier: ISC */
/*
 * Messages of the process behind a mailbox: HELLO, receipts, and its end.
 * Engine, unprivileged.  Processes that share a mailbox cannot be told apart,
 * so their receipts are ignored.
 */
#include "engine/worker/receipts.h"

#include "base/fd.h"
#include "engine/handoff/persistent.h"

#include "wire/link.h"

#include <string.h>

#define RECEIPTS_CONNS 4        /* of a worker */
#define RECEIPTS_REST_US 100000 /* for a worker out of descriptors */

static void
receipts_on_taken(void *owner, uint64_t sequence, uint32_t count)
{
	struct worker *worker = owner;

	if (!worker->shared)
		unreceipted_on_taken(
		    &worker->unreceipted, &worker->window, sequence, count);
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
		if (receipt->kind == FDRECV_WIRE_LIMIT)
			handoff->stats->returned_limit++;
		else
			handoff->stats->returned_denied++;
		worker->callbacks->on_return(worker->owner, handoff);
	}
}

/* The numbers of another engine's hand-offs mean nothing here. */
static void
receipts_on_receipt(
    struct worker *worker, int ours, const struct fdrecv_wire_receipt *receipt)
{
	switch (receipt->kind) {
	case FDRECV_WIRE_TAKEN:
		if (ours)
			receipts_on_taken(
			    worker, receipt->sequence, receipt->count);
		return;
	case FDRECV_WIRE_LIMIT:
	case FDRECV_WIRE_DENIED:
		if (ours)
			receipts_on_lost(worker, receipt);
		return;
	case FDRECV_WIRE_PAUSE:
	case FDRECV_WIRE_RESUME:
		worker->paused = receipt->kind == FDRECV_WIRE_PAUSE;
		return;
	default:
		return; /* of a later version */
	}
}

static int
receipts_on_message(void *owner, struct receipt_conn *conn,
    const unsigned char *bytes, size_t size)
{
	struct worker *worker = owner;
	struct fdrecv_wire_receipts head;
	struct fdrecv_wire_receipt receipt;

	(void)conn;
	if (size < sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	if (memcmp(head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
		FDRECV_WIRE_MAGIC_SIZE) != 0 ||
	    head.version != FDRECV_WIRE_VERSION || head.size < sizeof(head) ||
	    head.receipt_size < sizeof(receipt) || head.size > size ||
	    (size_t)head.count * head.receipt_size > size - head.size ||
	    worker->shared)
		return 0;
	worker->connections = head.connections;
	for (size_t i = 0; i < head.count; i++) {
		memcpy(&receipt, bytes + head.size + i * head.receipt_size,
		    sizeof(receipt));
		receipts_on_receipt(
		    worker, head.epoch == worker->context->epoch, &receipt);
	}
	return 0;
}

static void
receipts_on_read(void *owner)
{
	struct worker *worker = owner;

	owner_quota_hasten(worker->quota);
	worker->callbacks->on_room(worker->owner, worker);
}

static void
receipts_on_end(void *owner, struct receipt_conn *conn)
{
	struct worker *worker = owner;

	worker->has_survivor |= conn->has_survivor;
	if (worker->loan.count > 0 && worker->loan.pidfd == -1)
		worker->loan.pidfd = fd_steal(&conn->pidfd);
	receipt_conn_free(conn);
	if (!worker->shared)
		worker->callbacks->on_death(worker->owner, worker);
}

static const struct receipt_conn_callbacks receipts_callbacks = {
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

	worker->conns.callbacks = &receipts_callbacks;
	worker->conns.owner = worker;
	receipt_conn_claim(conn, &worker->conns);
	if (worker->conns.count > RECEIPTS_CONNS)
		receipt_conn_free(oldest);
	if (worker->shared)
		return;
	if (oldest != NULL && worker->instance != hello->instance) {
		worker->shared = 1;
		worker_become_plain(worker);
		return;
	}
	/* A new process at the mailbox of one that died: it was lent nothing,
	 * and no child of it is known. */
	if (oldest == NULL && worker->instance != 0) {
		worker->has_left = worker->has_survivor = 0;
		worker->loan.count = 0;
		worker->loan.pidfd = fd_close(worker->loan.pidfd);
	}
	worker->loan.pid = conn->pid;
	worker->kind = WORKER_RECEIPTED;
	persistent_note(worker->context->persistent, worker->mailbox.device,
	    worker->mailbox.inode, PERSISTENT_RECEIPTED);
	worker->instance = hello->instance;
	worker->counts_connections = hello->counts_connections;
	worker->connections = hello->connections;
	worker->paused = hello->paused;
	share_init(&worker->share, hello->weight, worker->share.pass);
	worker_wake(worker);
}

void
receipts_catch_up(struct worker *worker)
{
	struct receipt_conn *conn;

	TAILQ_FOREACH (conn, &worker->conns.head, entry)
		receipt_conn_read_all(conn);
}
