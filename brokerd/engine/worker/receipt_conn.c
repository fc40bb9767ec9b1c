/* SPDX-License-Identifier: ISC */
/*
 * One receipt connection: HELLO, then receipts, then a hang-up.  Engine,
 * unprivileged.  The peer is a worker, or anybody.
 */
#include "engine/worker/receipt_conn.h"

#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/worker/rendezvous.h"
#include "engine/worker/unreceipted.h"
#include "engine/worker/worker.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define RECEIPT_CONN_LATE_S 2 /* for HELLO, and for its worker to be found */
#define RECEIPT_CONN_ALL 1024 /* messages */
#define RECEIPT_CONN_MESSAGE_SIZE \
	1088 /* with FDRECV_WIRE_RECEIPTS_MAX receipts */

/* Returns the pidfd of the peer, or -1: then the hang-up has to do. */
static int
receipt_conn_find_process(int fd, const struct ucred *peer)
{
	socklen_t size = sizeof(int);
	int process;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &process, &size) == 0)
		return process; /* the kernel closes it on exec */
	return peer->pid > 0 ? (int)syscall(SYS_pidfd_open, peer->pid, 0) : -1;
}

/* Numbers of another engine's hand-offs mean nothing here. */
static void
receipt_conn_on_receipt(
    struct worker *worker, const struct fdrecv_wire_receipt *one, int ours)
{
	switch (one->kind) {
	case FDRECV_WIRE_TAKEN:
		if (ours)
			unreceipted_on_taken(worker, one->sequence, one->count);
		return;
	case FDRECV_WIRE_LIMIT:
	case FDRECV_WIRE_DENIED:
		if (ours)
			unreceipted_on_lost(worker, one->sequence, one->count,
			    (enum fdrecv_wire_receipt_kind)one->kind);
		return;
	case FDRECV_WIRE_PAUSE:
	case FDRECV_WIRE_RESUME:
		worker->paused = one->kind == FDRECV_WIRE_PAUSE;
		return;
	default:
		return; /* of a later version */
	}
}

static void
receipt_conn_on_receipts(
    struct receipt_conn *link, const unsigned char *bytes, size_t size)
{
	struct fdrecv_wire_receipts head;
	struct fdrecv_wire_receipt one;
	struct worker *worker = link->worker;

	if (size < sizeof(head))
		return;
	memcpy(&head, bytes, sizeof(head));
	if (memcmp(head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
		FDRECV_WIRE_MAGIC_SIZE) != 0 ||
	    head.version != FDRECV_WIRE_VERSION || head.size < sizeof(head) ||
	    head.receipt_size < sizeof(one) || head.size > size ||
	    (size_t)head.count * head.receipt_size > size - head.size ||
	    worker->shared)
		return;
	worker->connections = head.connections;
	for (size_t i = 0; i < head.count; i++) {
		memcpy(&one, bytes + head.size + i * head.receipt_size,
		    sizeof(one));
		receipt_conn_on_receipt(
		    worker, &one, head.epoch == worker->core->epoch);
	}
}

/* The peer is gone.  Its worker, and link, may be gone afterwards. */
static void
receipt_conn_on_end(struct receipt_conn *link)
{
	struct worker *worker = link->worker;

	receipt_conn_free(link);
	if (worker != NULL && !worker->shared)
		worker->user->on_death(worker, worker->argument);
}

/* Not a worker, but a new monitor.  It may take its time. */
static int
receipt_conn_on_adopt(struct receipt_conn *link, const unsigned char *bytes)
{
	const struct rendezvous_user *user = &link->rendezvous->user;
	struct channel_adopt adopt;

	memcpy(&adopt, bytes, sizeof(adopt));
	if (user->adopt(user->argument, &adopt, link->uid, link->fd) == -1)
		return -1;
	event_del(link->late);
	return 0;
}

/* One message; -1 if the link has to end. */
static int
receipt_conn_on_message(
    struct receipt_conn *link, const unsigned char *bytes, size_t size)
{
	if (size == 0)
		return -1; /* hung up */
	if (link->worker != NULL) {
		receipt_conn_on_receipts(link, bytes, size);
	} else if (!link->greeted && size == sizeof(struct channel_adopt) &&
	    memcmp(bytes, CHANNEL_ADOPT_MAGIC, FDRECV_WIRE_MAGIC_SIZE) == 0) {
		return receipt_conn_on_adopt(link, bytes);
	} else if (link->greeted ||
	    hello_read(bytes, size, &link->hello) == -1) {
		return -1;
	} else {
		link->greeted = 1;
		rendezvous_on_hello(link->rendezvous, link);
	}
	return 0;
}

/* The worker has hung up, or not: what it wrote before is there, and is no
 * more than the board has places.  What it writes meanwhile may never end. */
static void
receipt_conn_read_board(struct receipt_conn *link)
{
	uint64_t sequence;
	uint32_t count;

	for (uint32_t n = 0; n < FDRECV_WIRE_RING_PLACES; n += count) {
		count = receipt_ring_take(&link->board, &sequence);
		if (count == 0)
			return;
		if (!link->worker->shared)
			unreceipted_on_taken(link->worker, sequence, count);
	}
}

void
receipt_conn_look(struct receipt_conn *link)
{
	struct worker *worker = link->worker;

	if (!receipt_ring_has_news(&link->board))
		return;
	receipt_conn_read_board(link);
	worker->user->on_room(worker, worker->argument);
}

/* Reads one message, and the board.  1 there may be more, 0 there is nothing,
 * -1 the link has ended. */
static int
receipt_conn_read(struct receipt_conn *link)
{
	unsigned char bytes[RECEIPT_CONN_MESSAGE_SIZE];
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;
	int got = 1;

	/* Descriptors that strangers send are closed in here. */
	bounded_close_begin(&link->rendezvous->core->bounded);
	n = recvmsg(link->fd, &msg, MSG_DONTWAIT);
	/* The offer was never read: that comes once, before what was said. */
	if (n == -1 && errno == ECONNRESET)
		n = recvmsg(link->fd, &msg, MSG_DONTWAIT);
	bounded_close_end(&link->rendezvous->core->bounded);
	if (n == -1)
		got = errno == EAGAIN || errno == EINTR ? 0 : -1;
	else if ((msg.msg_flags & MSG_CTRUNC) != 0 ||
	    receipt_conn_on_message(link, bytes, (size_t)n) == -1)
		got = -1;
	receipt_conn_read_board(link);
	return got;
}

/* More than a socket's buffer holds is never read. */
static int
receipt_conn_read_all(struct receipt_conn *link)
{
	int got = 1;

	for (int i = 0; got == 1 && i < RECEIPT_CONN_ALL; i++)
		got = receipt_conn_read(link);
	return got;
}

int
receipt_conn_listen(struct receipt_conn *link)
{
	if (!link->greeted && receipt_conn_read(link) == -1 &&
	    link->worker == NULL)
		return -1;
	if (link->worker != NULL)
		receipt_conn_read_all(link);
	return 0;
}

void
receipt_conn_hear_out(struct worker *worker)
{
	struct receipt_conn *link;

	TAILQ_FOREACH (link, &worker->links, entry)
		receipt_conn_read_all(link);
}

static void
receipt_conn_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct receipt_conn *link = argument;
	struct worker *worker;

	(void)fd;
	(void)what;
	if (link->greeted && link->worker == NULL) {
		event_del(link->readable); /* until there is a worker */
		return;
	}
	if (receipt_conn_read(link) == -1) {
		receipt_conn_on_end(link);
		return;
	}
	worker = link->worker;
	if (worker != NULL)
		worker->user->on_room(worker, worker->argument);
}

/* The process that said HELLO has ended, whoever else has its sockets. */
static void
receipt_conn_on_ended(evutil_socket_t fd, short what, void *argument)
{
	struct receipt_conn *link = argument;

	(void)fd;
	(void)what;
	receipt_conn_listen(link); /* all that it said may be there unread */
	/* Where it has not hung up, a child has it, and perhaps what the
	 * application was at. */
	if (link->worker != NULL)
		link->worker->survived = receipt_conn_read_all(link) != -1;
	receipt_conn_on_end(link);
}

static void
receipt_conn_on_late(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	receipt_conn_free(argument);
}

struct receipt_conn *
receipt_conn_new(struct rendezvous *rendezvous, int fd)
{
	static const struct timeval late = {RECEIPT_CONN_LATE_S, 0};
	struct event_base *base = rendezvous->core->base;
	struct receipt_conn *link = calloc(1, sizeof(*link));
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);
	const int none = 0;

	if (link == NULL) {
		bounded_close_fd(&rendezvous->core->bounded, fd);
		return NULL;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof(none));
	link->rendezvous = rendezvous;
	link->fd = fd;
	link->uid = peer.uid;
	link->process = receipt_conn_find_process(fd, &peer);
	TAILQ_INSERT_TAIL(&rendezvous->links, link, entry);
	rendezvous->link_count++;
	link->readable = event_new(
	    base, fd, EV_READ | EV_PERSIST, receipt_conn_on_readable, link);
	link->ended = event_new(
	    base, link->process, EV_READ, receipt_conn_on_ended, link);
	link->late = evtimer_new(base, receipt_conn_on_late, link);
	if (link->readable == NULL || link->ended == NULL ||
	    link->late == NULL) {
		receipt_conn_free(link);
		return NULL;
	}
	event_add(link->readable, NULL);
	if (link->process != -1)
		event_add(link->ended, NULL);
	event_add(link->late, &late);
	return link;
}

static void
receipt_conn_leave_list(struct receipt_conn *link)
{
	if (link->worker != NULL) {
		TAILQ_REMOVE(&link->worker->links, link, entry);
	} else {
		TAILQ_REMOVE(&link->rendezvous->links, link, entry);
		link->rendezvous->link_count--;
	}
}

void
receipt_conn_free(struct receipt_conn *link)
{
	receipt_conn_leave_list(link);
	if (link->readable != NULL)
		event_free(link->readable);
	if (link->ended != NULL)
		event_free(link->ended);
	if (link->late != NULL)
		event_free(link->late);
	if (link->board.page != NULL) {
		TAILQ_REMOVE(&link->rendezvous->boards, link, offered);
		link->rendezvous->board_count--;
	}
	receipt_ring_close(&link->board);
	fd_close(link->process);
	/* With whatever is unread in there. */
	bounded_close_fd(&link->rendezvous->core->bounded, link->fd);
	free(link);
}

void
receipt_conn_set_worker(struct receipt_conn *link, struct worker *worker)
{
	receipt_conn_leave_list(link);
	link->worker = worker;
	TAILQ_INSERT_TAIL(&worker->links, link, entry);
	event_del(link->late);
	event_add(link->readable, NULL);
	if (link->hello.offer)
		rendezvous_offer(link->rendezvous, link);
}
