/* SPDX-License-Identifier: ISC */
/*
 * Receipt connections to engines.  Runs in the worker.  Nothing here waits for
 * an engine.  An engine that cannot be reached gets no HELLO, and treats this
 * worker as a plain one.
 */
#include "lib/engine_conns.h"

#include "lib/descriptors.h"
#include "lib/greeting.h"
#include "lib/mailbox_users.h"
#include "lib/run_dir.h"

#include "wire/names.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
engine_conn_close(struct engine_conn *conn)
{
	conn->fd = fdrecv_fd_close(conn->fd);
	fdrecv_ring_writer_close(&conn->ring);
}

/* Its last 16 bits are the addressee; two values have a meaning of their own.
 */
static int
engine_conns_may_be(uint64_t instance, uint16_t parents)
{
	return (uint16_t)instance != FDRECV_WIRE_TO_UNKNOWN &&
	    (uint16_t)instance != FDRECV_WIRE_TO_ANYBODY &&
	    (uint16_t)instance != parents;
}

int
fdrecv_engine_conns_init(struct engine_conns *conns,
    const struct bound_mailbox *mailbox, uint32_t weight, uint16_t flags)
{
	*conns = (struct engine_conns){.mailbox = mailbox,
	    .weight = weight,
	    .flags = flags,
	    .parents = (uint16_t)conns->instance};
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		conns->items[i].fd = -1;
	do
		if (getrandom(&conns->instance, sizeof(conns->instance), 0) !=
		    sizeof(conns->instance))
			return -1;
	while (!engine_conns_may_be(conns->instance, conns->parents));
	return 0;
}

/* A free entry, or that of an engine that has ended; NULL if all are in use. */
static struct engine_conn *
engine_conns_free_entry(struct engine_conns *conns)
{
	struct engine_conn *ended = NULL;

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		if (conns->items[i].fd == -1)
			return &conns->items[i];
		if (fdrecv_fd_has_ended(conns->items[i].fd))
			ended = &conns->items[i];
	}
	if (ended != NULL)
		engine_conn_close(ended);
	return ended;
}

static struct engine_conn *
engine_conns_connect(
    struct engine_conns *conns, const char *path, uint64_t epoch)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct engine_conn *conn;

	conn = path[0] == '\0' ? NULL : engine_conns_free_entry(conns);
	if (conn == NULL)
		return NULL;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	snprintf(conn->path, sizeof(conn->path), "%s", path);
	conn->epoch = epoch;
	conn->was_parents = 0;
	conn->fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (conn->fd != -1 &&
	    connect(conn->fd, (const struct sockaddr *)&address,
		sizeof(address)) == 0 &&
	    fdrecv_greeting_send(conns, conn->fd) == 0)
		return conn;
	engine_conn_close(conn);
	return NULL;
}

size_t
fdrecv_engine_conns_greet(struct engine_conns *conns, const char *run_dir)
{
	char own[RUN_DIR_OWN_SIZE];
	struct sockaddr_un address;
	size_t count = 0;

	if (run_dir == NULL) {
		fdrecv_run_dir_own(conns->mailbox->directory, own);
		run_dir = own;
	}
	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++)
		if (fdrecv_names_rendezvous(run_dir, i, &address) == 0 &&
		    engine_conns_connect(conns, address.sun_path, 0) != NULL)
			count++;
	return count;
}

struct engine_conn *
fdrecv_engine_conns_find(struct engine_conns *conns, uint64_t epoch)
{
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		if (conns->items[i].fd != -1 && conns->items[i].epoch == epoch)
			return &conns->items[i];
	return NULL;
}

/* Connections that were made before the first datagram belong to an engine that
 * is not known yet. */
static struct engine_conn *
engine_conns_find_answered(struct engine_conns *conns, uint64_t epoch)
{
	struct engine_conn *conn;

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		conn = &conns->items[i];
		if (conn->fd == -1 || conn->epoch != 0)
			continue;
		conn->epoch = fdrecv_ring_writer_accept(&conn->ring, conn->fd);
		if (conn->epoch == epoch)
			return conn;
	}
	return NULL;
}

struct engine_conn *
fdrecv_engine_conns_adopt(
    struct engine_conns *conns, int link, const char *path, uint64_t epoch)
{
	struct engine_conn *conn = fdrecv_engine_conns_find(conns, epoch);

	if (conn == NULL)
		conn = engine_conns_find_answered(conns, epoch);
	if (conn != NULL && fdrecv_fd_has_ended(conn->fd)) {
		engine_conn_close(conn);
		conn = NULL;
	}
	if (conn != NULL || (conn = engine_conns_free_entry(conns)) == NULL) {
		fdrecv_fd_close(link);
		return conn;
	}
	*conn = (struct engine_conn){.fd = link, .epoch = epoch};
	snprintf(conn->path, sizeof(conn->path), "%s", path);
	if (fdrecv_greeting_send(conns, conn->fd) == 0)
		return conn;
	engine_conn_close(conn);
	return NULL;
}

/* The path of an engine may be another one here. */
static struct engine_conn *
engine_conns_find_base(
    struct engine_conns *conns, const char *path, uint64_t epoch)
{
	const char *base = fdrecv_run_dir_base(path);
	struct engine_conn *conn;

	for (size_t i = 0; i < ENGINE_CONNS_MAX && base[0] != '\0'; i++) {
		conn = &conns->items[i];
		if (conn->fd != -1 && conn->epoch == 0 &&
		    strcmp(fdrecv_run_dir_base(conn->path), base) == 0) {
			conn->epoch = epoch;
			return conn;
		}
	}
	return NULL;
}

static struct engine_conn *
engine_conns_connect_here(
    struct engine_conns *conns, const char *path, uint64_t epoch)
{
	char here[sizeof(conns->items[0].path)];

	if (path[0] == '\0' ||
	    fdrecv_run_dir_here(
		conns->mailbox->directory, path, here, sizeof(here)) == -1)
		return NULL;
	return engine_conns_connect(conns, here, epoch);
}

int
fdrecv_engine_conns_are_unknown(
    const struct engine_conns *conns, uint16_t addressee)
{
	return addressee != (uint16_t)conns->instance &&
	    addressee != FDRECV_WIRE_TO_ANYBODY;
}

struct engine_conn *
fdrecv_engine_conns_open(struct engine_conns *conns, const char *path,
    uint64_t epoch, int may_connect)
{
	struct engine_conn *conn = fdrecv_engine_conns_find(conns, epoch);

	if (conn == NULL)
		conn = engine_conns_find_answered(conns, epoch);
	if (conn != NULL)
		return conn;
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		conn = &conns->items[i];
		if (conn->fd == -1 || strcmp(conn->path, path) != 0)
			continue;
		/* An earlier engine with the same rendezvous has ended. */
		if (fdrecv_fd_has_ended(conn->fd)) {
			engine_conn_close(conn);
		} else if (conn->epoch == 0) {
			conn->epoch = epoch;
			return conn;
		}
	}
	conn = may_connect ? engine_conns_connect(conns, path, epoch) : NULL;
	if (conn == NULL)
		conn = engine_conns_find_base(conns, path, epoch);
	if (conn == NULL && may_connect)
		conn = engine_conns_connect_here(conns, path, epoch);
	return conn;
}

void
fdrecv_engine_conns_send(struct engine_conns *conns, struct engine_conn *conn,
    enum fdrecv_wire_receipt_kind kind, uint64_t sequence, uint32_t count)
{
	struct {
		struct fdrecv_wire_receipts header;
		struct fdrecv_wire_receipt receipt;
	} message = {
	    .header =
		{
		    .version = FDRECV_WIRE_VERSION,
		    .size = sizeof(message.header),
		    .count = 1,
		    .receipt_size = sizeof(message.receipt),
		    .connections = conns->connections,
		    .epoch = conn->epoch,
		},
	    .receipt = {.sequence = sequence,
		.count = count,
		.kind = (uint16_t)kind},
	};
	int saved = errno;

	memcpy(message.header.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
	    FDRECV_WIRE_MAGIC_SIZE);
	if (send(conn->fd, &message, sizeof(message),
		MSG_NOSIGNAL | MSG_DONTWAIT) == -1 &&
	    errno != EAGAIN)
		engine_conn_close(conn);
	errno = saved;
}

void
fdrecv_engine_conns_confirm(
    struct engine_conns *conns, struct engine_conn *conn, uint64_t sequence)
{
	if (conns->flags & FDRECV_WIRE_OFFER)
		fdrecv_ring_writer_accept(&conn->ring, conn->fd);
	/* The engine may read the ring before PAUSE, and would then send
	 * more. */
	if ((conns->flags & FDRECV_WIRE_PAUSED) != 0 ||
	    !fdrecv_ring_writer_write(&conn->ring, sequence))
		fdrecv_engine_conns_send(
		    conns, conn, FDRECV_WIRE_TAKEN, sequence, 1);
}

void
fdrecv_engine_conns_send_all(
    struct engine_conns *conns, enum fdrecv_wire_receipt_kind kind)
{
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		if (conns->items[i].fd != -1)
			fdrecv_engine_conns_send(
			    conns, &conns->items[i], kind, 0, 0);
}

int
fdrecv_engine_conns_renew(struct engine_conns *conns)
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
		return -1;
	}
	conns->has_succeeded =
	    fdrecv_mailbox_users_succeed(old.mailbox->fd, conns->parents);
	fdrecv_mailbox_users_add(old.mailbox->fd, (uint16_t)conns->instance);
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		conn = engine_conns_connect(
		    conns, old.items[i].path, old.items[i].epoch);
		if (conn == NULL)
			conn = engine_conns_connect_here(
			    conns, old.items[i].path, old.items[i].epoch);
		/* On its parent's connection it tells that there are two, and
		 * the engine sends nothing again. */
		if (conn == NULL && old.items[i].fd != -1) {
			conns->has_succeeded = 0;
			fdrecv_greeting_send(conns, old.items[i].fd);
		}
		if (conn == NULL)
			continue;
		conn->was_parents = 1;
		conn->parents_epoch = old.items[i].parents_epoch;
	}
	/* Only now: as long as somebody has it, the engine waits for HELLO. */
	fdrecv_engine_conns_close(&old);
	return 0;
}

/* True if conn may be a connection to the engine with that epoch, to which the
 * parent had said HELLO. */
static int
engine_conn_was_parents(const struct engine_conn *conn, uint64_t epoch)
{
	return conn->fd != -1 && conn->was_parents &&
	    (conn->epoch == 0 || conn->epoch == epoch) &&
	    (conn->parents_epoch == 0 || conn->parents_epoch == epoch);
}

/* When the engine did not know the process, the parent's HELLO may have been on
 * its way. */
int
fdrecv_engine_conns_is_for_dead(
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
		found |= engine_conn_was_parents(&conns->items[i], epoch);
	return found && conns->has_succeeded;
}

void
fdrecv_engine_conns_return(struct engine_conns *conns, uint64_t epoch,
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

void
fdrecv_engine_conns_close(struct engine_conns *conns)
{
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		engine_conn_close(&conns->items[i]);
}
