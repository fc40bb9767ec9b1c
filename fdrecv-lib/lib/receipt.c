/* SPDX-License-Identifier: ISC */
/*
 * libfdrecv: the receipts of hand-offs, and the end of connections.  Runs in
 * the worker.  The engine has a duplicate of a connection until it knows of the
 * receipt, so the client's end of file does not come from the worker's close.
 */
#include "fdrecv.h"

#include "lib/handle.h"
#include "lib/sharers.h"

#include <errno.h>

/* What is left of a connection when its receipt is given. */
enum receipt_rest {
	RECEIPT_KEPT,   /* the program serves it */
	RECEIPT_CLOSED, /* the program has closed it */
	RECEIPT_ENDED,  /* the client has its end of file as well */
};

/* Gives the receipt for one hand-off, which is now the program's own, or its
 * client's. */
static void
fdrecv_confirm(struct fdrecv *mailbox, uint64_t epoch, uint64_t sequence,
    enum receipt_rest rest)
{
	struct engine_conn *conn =
	    fdrecv_engine_conns_find(&mailbox->engines, epoch);

	if (mailbox->due_epoch == epoch && mailbox->due_sequence == sequence)
		mailbox->due_epoch = 0;
	if (mailbox->flags & FDRECV_COUNTED)
		mailbox->engines.connections += rest == RECEIPT_KEPT;
	if (conn != NULL)
		fdrecv_engine_conns_confirm(
		    &mailbox->engines, conn, sequence, rest == RECEIPT_ENDED);
}

int
fdrecv_report_late(struct fdrecv *mailbox)
{
	struct engine_conns *conns = &mailbox->engines;
	struct engine_conn *conn = conns->items;
	struct fdrecv_wire_receipt loss;
	int state;

	if (!conns->has_unreported && !conns->has_unread)
		return 1;
	conns->has_unreported = conns->has_unread = 0;
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++, conn++) {
		loss = conn->unreported;
		state = conn->state_unreported;
		conn->unreported.count = 0;
		conn->state_unreported = 0;
		if (conn->fd != -1 && loss.count > 0)
			fdrecv_engine_conns_send(conns, conn,
			    (enum fdrecv_wire_receipt_kind)loss.kind,
			    loss.sequence, loss.count);
		if (conn->fd != -1 && state)
			fdrecv_engine_conns_send(conns, conn,
			    conns->flags & FDRECV_WIRE_PAUSED ?
				FDRECV_WIRE_PAUSE :
				FDRECV_WIRE_RESUME,
			    0, 0);
	}
	return !conns->has_unreported;
}

void
fdrecv_confirm_due(struct fdrecv *mailbox)
{
	if (mailbox->due_epoch != 0)
		fdrecv_confirm(mailbox, mailbox->due_epoch,
		    mailbox->due_sequence, RECEIPT_KEPT);
}

static void
fdrecv_note_forks(struct fdrecv *mailbox, const struct fdrecv_handoff *found)
{
	unsigned int forks = fdrecv_sharers_forks();

	if (mailbox->forks == forks && mailbox->unforked_epoch == found->epoch)
		return;
	mailbox->forks = forks;
	mailbox->unforked_epoch = found->epoch;
	mailbox->unforked_sequence = found->sequence;
}

/* Nobody could tell later whether a connection between local sockets was
 * touched, so its receipt is given now. */
void
fdrecv_hand_out(struct fdrecv *mailbox, const struct fdrecv_handoff *found)
{
	fdrecv_note_forks(mailbox, found);
	if (found->epoch != 0 && found->local.ss_family == AF_UNIX) {
		fdrecv_confirm(
		    mailbox, found->epoch, found->sequence, RECEIPT_KEPT);
	} else if (!(mailbox->flags & FDRECV_MANUAL_RECEIPT)) {
		mailbox->due_epoch = found->epoch;
		mailbox->due_sequence = found->sequence;
	}
}

/* True if the receipt of a hand-off has not been given. */
static int
fdrecv_is_due(
    const struct fdrecv *mailbox, const struct fdrecv_handoff *handoff)
{
	if (!(mailbox->flags & FDRECV_MANUAL_RECEIPT))
		return mailbox->due_epoch != 0 &&
		    handoff->epoch == mailbox->due_epoch &&
		    handoff->sequence == mailbox->due_sequence;
	return handoff->epoch != 0 && !handoff->receipted &&
	    handoff->local.ss_family != AF_UNIX;
}

void
fdrecv_receipt(struct fdrecv *mailbox, struct fdrecv_handoff *handoff)
{
	if (mailbox != NULL && mailbox->usage->is_ours &&
	    fdrecv_handle_lock(mailbox)) {
		if (fdrecv_is_due(mailbox, handoff))
			fdrecv_confirm(mailbox, handoff->epoch,
			    handoff->sequence, RECEIPT_KEPT);
		fdrecv_usage_leave(mailbox->usage, 0);
	}
	handoff->receipted = 1;
}

static void
fdrecv_finish(struct fdrecv *mailbox, struct fdrecv_handoff *handoff)
{
	if (fdrecv_is_due(mailbox, handoff)) {
		fdrecv_confirm(
		    mailbox, handoff->epoch, handoff->sequence, RECEIPT_CLOSED);
		handoff->receipted = 1;
	} else if (mailbox->flags & FDRECV_COUNTED) {
		/* In a child the connection may be one of the parent's. */
		if (mailbox->engines.connections > 0)
			mailbox->engines.connections--;
		fdrecv_engine_conns_send_all(
		    &mailbox->engines, FDRECV_WIRE_TAKEN);
	}
}

/* True if no other process can have got the connection from this one, except by
 * a message, before which the program gives the receipt. */
static int
fdrecv_is_alone(
    const struct fdrecv *mailbox, const struct fdrecv_handoff *handoff)
{
	return handoff->epoch == mailbox->unforked_epoch &&
	    handoff->sequence >= mailbox->unforked_sequence &&
	    mailbox->forks == fdrecv_sharers_forks() &&
	    !fdrecv_sharers_may_be_children();
}

/* Ends the connection for the client, who need not wait for the engine then,
 * and leaves the receipt where the engine finds it by itself.  True if that was
 * possible. */
static int
fdrecv_finish_lazily(struct fdrecv *mailbox, struct fdrecv_handoff *handoff)
{
	const struct engine_conn *conn =
	    fdrecv_engine_conns_find(&mailbox->engines, handoff->epoch);

	if (conn == NULL ||
	    !fdrecv_engine_conns_is_lazy(&mailbox->engines, conn) ||
	    !fdrecv_is_due(mailbox, handoff) ||
	    !fdrecv_is_alone(mailbox, handoff) || !fdrecv_fd_end(handoff->fd))
		return 0;
	fdrecv_confirm(
	    mailbox, handoff->epoch, handoff->sequence, RECEIPT_ENDED);
	handoff->receipted = 1;
	return 1;
}

void
fdrecv_done(struct fdrecv *mailbox, struct fdrecv_handoff *handoff)
{
	int saved = errno, is_finished = 0;
	int is_ours = handoff->fd != -1 && handoff->epoch != 0 &&
	    mailbox != NULL && mailbox->usage->is_ours;

	if (is_ours && fdrecv_usage_try(mailbox->usage) == 0) {
		is_finished = fdrecv_finish_lazily(mailbox, handoff);
		fdrecv_usage_leave(mailbox->usage, 0);
		errno = saved;
	}
	/* Not while it is locked: with SO_LINGER this may take time. */
	handoff->fd = fdrecv_fd_close(handoff->fd);
	if (!is_ours || is_finished || !fdrecv_handle_lock(mailbox))
		return;
	fdrecv_finish(mailbox, handoff);
	fdrecv_usage_leave(mailbox->usage, 0);
}
