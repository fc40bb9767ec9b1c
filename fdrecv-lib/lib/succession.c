/* SPDX-License-Identifier: ISC */
/*
 * The mailbox in a child of fork(2).  The connections are its parent's, and so
 * is all that engines have sent so far; if the parent has ended, the engines
 * send that again, and the mailbox is the child's.  Runs in the worker.
 */
#include "lib/succession.h"

#include "lib/descriptors.h"
#include "lib/mailbox_users.h"

void
fdrecv_succession_begin(struct engine_conns *conns)
{
	struct engine_conns old = *conns;
	struct engine_conn *conn;

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		old.items[i].parents_epoch = old.items[i].epoch;
		/* The engine has seen the end of the parent; or it has ended,
		 * and another one may have its rendezvous by now. */
		if (old.items[i].fd == -1)
			old.items[i].path[0] = '\0';
		else if (fdrecv_fd_has_ended(old.items[i].fd))
			old.items[i].epoch = 0;
	}
	if (fdrecv_engine_conns_init(
		conns, old.mailbox, old.weight, old.flags) == -1) {
		fdrecv_engine_conns_close(&old);
		return;
	}
	conns->has_succeeded =
	    fdrecv_mailbox_users_succeed(old.mailbox->fd, conns->parents);
	fdrecv_mailbox_users_add(old.mailbox->fd, (uint16_t)conns->instance);
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		conn = fdrecv_engine_conns_connect(
		    conns, old.items[i].path, old.items[i].epoch, 0);
		if (conn == NULL)
			conn = fdrecv_engine_conns_connect(
			    conns, old.items[i].path, old.items[i].epoch, 1);
		/* On its parent's connection it tells that there are two, and
		 * the engine sends nothing again. */
		if (conn == NULL && old.items[i].fd != -1) {
			conns->has_succeeded = 0;
			fdrecv_engine_conns_hello(conns, old.items[i].fd);
		}
		if (conn == NULL)
			continue;
		conn->was_parents = 1;
		conn->parents_epoch = old.items[i].parents_epoch;
	}
	/* Only now: as long as somebody has it, the engine waits for HELLO. */
	fdrecv_engine_conns_close(&old);
}

/* True if conn may be a connection to the engine with that epoch, to which the
 * parent had said HELLO. */
static int
succession_is_to(const struct engine_conn *conn, uint64_t epoch)
{
	return conn->fd != -1 && conn->was_parents &&
	    (conn->epoch == 0 || conn->epoch == epoch) &&
	    (conn->parents_epoch == 0 || conn->parents_epoch == epoch);
}

/* When the engine did not know the process, the parent's HELLO may have been on
 * its way. */
int
fdrecv_succession_is_for_dead(
    const struct engine_conns *conns, uint64_t epoch, uint16_t addressee)
{
	int found = 0;

	if (conns->parents == 0 || addressee == FDRECV_WIRE_TO_ANYBODY ||
	    addressee == (uint16_t)conns->instance)
		return 0;
	if (addressee == conns->parents)
		return conns->has_succeeded;
	if (addressee != FDRECV_WIRE_TO_UNKNOWN)
		return !fdrecv_mailbox_users_has(conns->mailbox->fd, addressee);
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		found |= succession_is_to(&conns->items[i], epoch);
	return found && conns->has_succeeded;
}

void
fdrecv_succession_return(struct engine_conns *conns, uint64_t epoch,
    uint64_t sequence, uint32_t count)
{
	struct engine_conn *conn;
	uint64_t known;

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		conn = &conns->items[i];
		known = conn->epoch;
		if (conn->fd == -1 || (known != 0 && known != epoch))
			continue;
		conn->epoch = epoch;
		fdrecv_engine_conns_send(
		    conns, conn, FDRECV_WIRE_UNREAD, sequence, count);
		conn->epoch = known;
	}
}
