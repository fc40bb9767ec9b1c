/* SPDX-License-Identifier: ISC */
/*
 * Receipt connections to engines.  Runs in the worker.  Nothing here waits for
 * an engine.  An engine that cannot be reached gets no HELLO, and treats this
 * worker as a plain one.
 */
#include "lib/engine_conns.h"

#include "lib/descriptors.h"

#include "wire/names.h"
#include "wire/retry.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
engine_conn_close(struct engine_conn *conn)
{
	if (conn->fd != -1 && fdrecv_fd_socket_inode(conn->fd) == conn->inode)
		fdrecv_fd_close(conn->fd);
	conn->fd = -1;
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
	    .has_said_hello = conns->has_said_hello,
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

/* A free entry, or else that of an engine that has ended, or else the one that
 * was not used for the longest time: a hostile engine can make up any number of
 * epochs, with links that live as long as whoever it gave the other ends to. */
static struct engine_conn *
engine_conns_free_entry(struct engine_conns *conns)
{
	struct engine_conn *conn, *oldest = &conns->items[0];

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		conn = &conns->items[i];
		if (conn->fd == -1)
			return conn;
		if (fdrecv_fd_has_ended(conn->fd))
			conn->used = 0;
		if (conn->used < oldest->used)
			oldest = conn;
	}
	engine_conn_close(oldest);
	return oldest;
}

/* Without memory, waits for a millisecond and returns true, several times. */
static int
engine_conns_may_retry(int *tries)
{
	return (errno == ENOMEM || errno == ENOBUFS) && retry_wait(tries);
}

int
fdrecv_engine_conns_hello(struct engine_conns *conns, int fd)
{
	const struct bound_mailbox *mailbox = conns->mailbox;
	struct fdrecv_wire_hello hello = {
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(hello),
	    .name_length = (uint16_t)strlen(mailbox->name),
	    .flags = conns->flags,
	    .weight = conns->weight,
	    .device = mailbox->device,
	    .inode = mailbox->inode,
	    .instance = conns->instance,
	    .connections = conns->connections,
	    .dead = conns->has_succeeded ? conns->parents : 0,
	};
	struct iovec parts[] = {{&hello, sizeof(hello)},
	    {(char *)(uintptr_t)mailbox->name, hello.name_length}};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};
	int tries = RETRY_TRIES;
	ssize_t n;

	memcpy(hello.magic, FDRECV_WIRE_HELLO_MAGIC, FDRECV_WIRE_MAGIC_SIZE);
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n == -1 && engine_conns_may_retry(&tries));
	conns->has_said_hello |= n != -1;
	return n == -1 ? -1 : 0;
}

static const char *
engine_conns_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

struct engine_conn *
fdrecv_engine_conns_connect(
    struct engine_conns *conns, const char *path, uint64_t epoch, int is_here)
{
	const char *run_dir = conns->mailbox->run_dir;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct engine_conn *conn;
	int length = snprintf(address.sun_path, sizeof(address.sun_path),
	    "%s%s%s", is_here ? run_dir : "", is_here ? "/" : "",
	    is_here ? engine_conns_base(path) : path);

	if (path[0] == '\0' || (is_here && run_dir[0] == '\0') ||
	    length >= (int)sizeof(address.sun_path))
		return NULL;
	conn = engine_conns_free_entry(conns);
	*conn = (struct engine_conn){.epoch = epoch,
	    .used = ++conns->uses,
	    .fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	snprintf(conn->path, sizeof(conn->path), "%s", address.sun_path);
	conn->inode = fdrecv_fd_socket_inode(conn->fd);
	if (conn->fd != -1 &&
	    connect(conn->fd, (const struct sockaddr *)&address,
		sizeof(address)) == 0 &&
	    fdrecv_engine_conns_hello(conns, conn->fd) == 0)
		return conn;
	engine_conn_close(conn);
	return NULL;
}

size_t
fdrecv_engine_conns_greet(struct engine_conns *conns, const char *run_dir)
{
	const char *directory = run_dir == NULL ? "." : run_dir;
	struct sockaddr_un address;
	size_t count = 0;

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++)
		if (fdrecv_names_rendezvous(directory, i, &address) == 0 &&
		    fdrecv_engine_conns_connect(
			conns, address.sun_path, 0, run_dir == NULL) != NULL)
			count++;
	return count;
}

struct engine_conn *
fdrecv_engine_conns_find(struct engine_conns *conns, uint64_t epoch)
{
	struct engine_conn *conn = conns->items;

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++, conn++)
		if (conn->fd != -1 && conn->epoch == epoch) {
			conn->used = ++conns->uses;
			return conn;
		}
	return NULL;
}

/* Connections that were made before the first datagram belong to an engine that
 * may not have answered yet. */
static struct engine_conn *
engine_conns_find_answered(struct engine_conns *conns, uint64_t epoch)
{
	struct engine_conn *found = fdrecv_engine_conns_find(conns, epoch);

	for (size_t i = 0; found == NULL && i < ENGINE_CONNS_MAX; i++) {
		struct engine_conn *conn = &conns->items[i];

		if (conn->fd != -1 && conn->epoch == 0)
			conn->epoch =
			    fdrecv_ring_writer_accept(&conn->ring, conn->fd);
		if (conn->fd != -1 && conn->epoch == epoch)
			found = conn;
	}
	return found;
}

struct engine_conn *
fdrecv_engine_conns_adopt(
    struct engine_conns *conns, int link, const char *path, uint64_t epoch)
{
	struct engine_conn *conn = engine_conns_find_answered(conns, epoch);

	if (conn != NULL && fdrecv_fd_has_ended(conn->fd)) {
		engine_conn_close(conn);
		conn = NULL;
	}
	if (conn != NULL) {
		fdrecv_fd_close(link);
		return conn;
	}
	conn = engine_conns_free_entry(conns);
	*conn = (struct engine_conn){.fd = link,
	    .inode = fdrecv_fd_socket_inode(link),
	    .epoch = epoch,
	    .used = ++conns->uses};
	snprintf(conn->path, sizeof(conn->path), "%s", path);
	if (fdrecv_engine_conns_hello(conns, conn->fd) == 0)
		return conn;
	engine_conn_close(conn);
	return NULL;
}

/* A connection whose engine was not known, by the path of its rendezvous, or by
 * the last part of that: the rest may be another one here. */
static struct engine_conn *
engine_conns_claim(
    struct engine_conns *conns, const char *path, uint64_t epoch, int is_here)
{
	const char *wanted = is_here ? engine_conns_base(path) : path;
	struct engine_conn *conn;

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++) {
		conn = &conns->items[i];
		if (conn->fd == -1 ||
		    strcmp(is_here ? engine_conns_base(conn->path) : conn->path,
			wanted) != 0)
			continue;
		/* An earlier engine with the same rendezvous has ended. */
		if (fdrecv_fd_has_ended(conn->fd)) {
			engine_conn_close(conn);
		} else if (conn->epoch == 0) {
			conn->epoch = epoch;
			return conn;
		}
	}
	return NULL;
}

struct engine_conn *
fdrecv_engine_conns_open(struct engine_conns *conns, const char *path,
    uint64_t epoch, uint16_t addressee)
{
	struct engine_conn *conn = engine_conns_find_answered(conns, epoch);
	int may_connect = addressee != (uint16_t)conns->instance &&
	    addressee != FDRECV_WIRE_TO_ANYBODY;

	if (conn == NULL)
		conn = engine_conns_claim(conns, path, epoch, 0);
	if (conn == NULL && may_connect)
		conn = fdrecv_engine_conns_connect(conns, path, epoch, 0);
	if (conn == NULL)
		conn = engine_conns_claim(conns, path, epoch, 1);
	if (conn == NULL && may_connect)
		conn = fdrecv_engine_conns_connect(conns, path, epoch, 1);
	return conn;
}

/* A program may have called closefrom(3) and opened another socket with this
 * number.  Checking that before each receipt would cost a system call, so send
 * in a way that fails for other sockets: of the connected ones only
 * SOCK_SEQPACKET ignores an address, see send(2), and so does TCP, which
 * MSG_FASTOPEN makes fail as it is connected already. */
static ssize_t
engine_conn_put(int fd, const void *bytes, size_t size)
{
	const struct sockaddr none = {.sa_family = AF_UNIX};
	int tries = RETRY_TRIES;
	ssize_t n;

	do
		n = sendto(fd, bytes, size,
		    MSG_NOSIGNAL | MSG_DONTWAIT | MSG_FASTOPEN, &none,
		    sizeof(none.sa_family));
	while (n == -1 && engine_conns_may_retry(&tries));
	return n;
}

/* The engine takes a hang-up for the death of this worker, so the connection
 * is not closed for an error that passes. */
static void
engine_conn_on_error(struct engine_conns *conns, struct engine_conn *conn,
    const struct fdrecv_wire_receipt *receipt)
{
	struct fdrecv_wire_receipt *loss = &conn->unreported;
	int passes = errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS;

	if (!passes)
		engine_conn_close(conn);
	if (!passes || receipt->kind == FDRECV_WIRE_TAKEN)
		return;
	if (errno == EAGAIN)
		conns->has_unread = 1;
	else
		conns->has_unreported = 1;
	if (receipt->count == 0)
		conn->state_unreported = 1;
	else if (loss->count > 0 && receipt->kind == loss->kind &&
	    receipt->sequence == loss->sequence + loss->count)
		loss->count += receipt->count;
	else
		*loss = *receipt;
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
	if (engine_conn_put(conn->fd, &message, sizeof(message)) == -1)
		engine_conn_on_error(conns, conn, &message.receipt);
	errno = saved;
}

int
fdrecv_engine_conns_is_lazy(
    const struct engine_conns *conns, const struct engine_conn *conn)
{
	return (conns->flags & FDRECV_WIRE_PAUSED) == 0 &&
	    fdrecv_ring_writer_is_lazy(&conn->ring);
}

void
fdrecv_engine_conns_confirm(struct engine_conns *conns,
    struct engine_conn *conn, uint64_t sequence, int can_wait)
{
	if (conns->flags & FDRECV_WIRE_OFFER)
		fdrecv_ring_writer_accept(&conn->ring, conn->fd);
	/* The engine may read the ring before PAUSE, and would then send
	 * more. */
	if ((conns->flags & FDRECV_WIRE_PAUSED) != 0 ||
	    !fdrecv_ring_writer_write(&conn->ring, sequence, can_wait))
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

void
fdrecv_engine_conns_close_ended(struct engine_conns *conns)
{
	struct engine_conn *conn = conns->items;

	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++, conn++)
		if (conn->fd != -1 && fdrecv_fd_has_ended(conn->fd))
			engine_conn_close(conn);
}

void
fdrecv_engine_conns_close(struct engine_conns *conns)
{
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		engine_conn_close(&conns->items[i]);
}
