/* SPDX-License-Identifier: ISC */
/*
 * One receipt connection: HELLO, then receipts, then the end.  Engine,
 * unprivileged.  The peer is a worker, or any other process.
 */
#include "engine/worker/receipt_conn.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/ledger.h"
#include "engine/policy/errors.h"
#include "engine/worker/link_share.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

#define RECEIPT_CONN_DEADLINE_US 2000000 /* to say HELLO, and to be claimed */
#define RECEIPT_CONN_SURVIVOR_US 200000  /* for a child, to say HELLO */
#define RECEIPT_CONN_MESSAGES 1024       /* more than a socket's buffer holds */
#define RECEIPT_CONN_MESSAGE_SIZE 1088   /* FDRECV_WIRE_RECEIPTS_MAX fit */

/* The ring has room for all that a worker wrote before it hung up.  If a worker
 * writes without end, this ends after one round. */
uint32_t
receipt_conn_read_ring(struct receipt_conn *conn)
{
	uint64_t sequence, given_us;
	uint32_t count, n = 0;

	while (n < FDRECV_WIRE_RING_SLOTS &&
	    (count = receipt_ring_take(&conn->ring, &sequence)) > 0) {
		given_us = conn->ring.list->looked_us;
		conn->list->callbacks->on_taken(
		    conn->list->owner, sequence, count, given_us);
		n += count;
	}
	return n;
}

/* What was done since then for messages that brought nothing. */
static void
receipt_conn_account(struct effort *effort, uint64_t begun_us)
{
	uint64_t now_us = clock_us();

	effort_add(effort, begun_us, now_us);
}

/* What is in the ring waits as messages do. */
static void
receipt_conn_on_news(void *owner)
{
	struct receipt_conn *conn = owner;
	struct link_share *share = conn->list->share;
	uint64_t begun_us = clock_us(), brought = share->brought;

	if (!link_share_may_read(share, conn))
		return;
	receipt_conn_read_ring(conn);
	if (share->brought == brought)
		receipt_conn_account(share->effort, begun_us);
	conn->list->callbacks->on_read(conn->list->owner);
}

/* Reports the end of the peer from now on; if that fails, the hang-up has to
 * do. */
static void
receipt_conn_watch_peer(struct receipt_conn *conn)
{
	if (conn->peer.pidfd == -1)
		return;
	event_assign(conn->process_ended, conn->context->base, conn->peer.pidfd,
	    EV_READ, event_get_callback(conn->process_ended), conn);
	if (event_add(conn->process_ended, NULL) == -1)
		conn->peer.pidfd = fd_close(conn->peer.pidfd);
}

/* The first message of a link tells who has its other end. */
static int
receipt_conn_identify(struct receipt_conn *conn, struct msghdr *msg)
{
	if (peer_process_of_message(conn->fd, msg, &conn->peer) == -1)
		return -1;
	receipt_conn_watch_peer(conn);
	return 0;
}

/* Reads one message, and the ring.  1 there may be more, 0 there is none, -1
 * the connection has ended. */
static int
receipt_conn_read(struct receipt_conn *conn)
{
	unsigned char bytes[RECEIPT_CONN_MESSAGE_SIZE];
	union {
		struct cmsghdr align;
		char bytes[PEER_PROCESS_CONTROL];
	} control;
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	int is_first = conn->is_link && conn->state == RECEIPT_CONN_NEW;
	ssize_t n;
	int got = 1;

	if (is_first) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
	}
	/* recvmsg(2) closes descriptors that were sent. */
	bounded_close_begin(conn->context->bounded);
	n = recvmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	/* The peer closed without reading the offer of a ring.  The kernel
	 * reports this once, before the messages that the peer sent. */
	if (n == -1 && errno == ECONNRESET)
		n = recvmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	bounded_close_end(conn->context->bounded);
	if (n == -1)
		got = errors_is_passing(errno) ? 0 : -1;
	else if ((is_first && receipt_conn_identify(conn, &msg) == -1) ||
	    n == 0 || (msg.msg_flags & MSG_CTRUNC) != 0 ||
	    conn->list->callbacks->on_message(
		conn->list->owner, conn, bytes, (size_t)n) == -1)
		got = -1;
	receipt_conn_read_ring(conn);
	return got;
}

int
receipt_conn_read_all(struct receipt_conn *conn)
{
	int got = 1;

	for (int i = 0; got == 1 && i < RECEIPT_CONN_MESSAGES; i++)
		got = receipt_conn_read(conn);
	return got == -1 ? -1 : 0;
}

int
receipt_conn_catch_up(struct receipt_conn *conn)
{
	if (conn->state == RECEIPT_CONN_NEW && receipt_conn_read(conn) == -1)
		return -1;
	if (conn->state == RECEIPT_CONN_CLAIMED)
		receipt_conn_read_all(conn);
	return 0;
}

static void
receipt_conn_end(struct receipt_conn *conn)
{
	conn->list->callbacks->on_end(conn->list->owner, conn);
}

static void
receipt_conn_on_claimed(struct receipt_conn *conn)
{
	struct link_share *share = conn->list->share;
	struct effort *effort = share->effort;
	uint64_t begun_us = clock_us(), brought = share->brought;

	if (!link_share_may_read(share, conn))
		return;
	if (receipt_conn_read(conn) == -1) {
		conn->has_survivor = 0;
		receipt_conn_end(conn);
		receipt_conn_account(effort, begun_us);
		return;
	}
	if (share->brought == brought)
		receipt_conn_account(effort, begun_us);
	conn->list->callbacks->on_read(conn->list->owner);
}

static void
receipt_conn_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct receipt_conn *conn = argument;

	(void)fd;
	(void)what;
	if (conn->state == RECEIPT_CONN_CLAIMED) {
		receipt_conn_on_claimed(conn);
	} else if (conn->state == RECEIPT_CONN_WAITING) {
		event_del(conn->readable); /* until it is claimed */
	} else if (receipt_conn_read(conn) == -1) {
		conn->has_survivor = 0;
		receipt_conn_end(conn);
	} else if (conn->state == RECEIPT_CONN_CLAIMED) {
		conn->list->callbacks->on_read(conn->list->owner);
	}
}

/* The process that made the connection has ended. */
static void
receipt_conn_on_process_ended(evutil_socket_t fd, short what, void *argument)
{
	struct receipt_conn *conn = argument;

	(void)fd;
	(void)what;
	receipt_conn_catch_up(conn);
	if (conn->state != RECEIPT_CONN_CLAIMED ||
	    receipt_conn_read_all(conn) == -1) {
		receipt_conn_end(conn);
		return;
	}
	/* A child has the connection, and perhaps that of the client that the
	 * process was serving.  It may be about to say HELLO itself. */
	conn->has_survivor = 1;
	conn->list->callbacks->on_survivor(conn->list->owner);
	timer_set(&conn->deadline, RECEIPT_CONN_SURVIVOR_US);
}

void
receipt_conn_expect_end(struct receipt_conn *conn)
{
	conn->has_survivor = receipt_conn_read_all(conn) == 0;
	timer_set(&conn->deadline, 0);
}

static void
receipt_conn_on_deadline(void *owner)
{
	receipt_conn_end(owner);
}

static void
receipt_conn_enter_list(
    struct receipt_conn *conn, struct receipt_conn_list *list)
{
	TAILQ_INSERT_TAIL(&list->head, conn, entry);
	list->count++;
	if (list->share != NULL)
		list->share->count++;
	conn->list = list;
}

static void
receipt_conn_leave_list(struct receipt_conn *conn)
{
	if (conn->list->share != NULL) {
		link_share_leave(conn->list->share, conn);
		conn->list->share->count--;
	}
	TAILQ_REMOVE(&conn->list->head, conn, entry);
	conn->list->count--;
}

int
receipt_conn_reserve(
    struct worker_context *context, struct receipt_conn **reserved)
{
	struct event_base *base = context->base;
	struct receipt_conn *conn;

	if (*reserved != NULL)
		return 0;
	conn = calloc(1, sizeof(*conn));
	if (conn == NULL)
		return -1;
	conn->context = context;
	conn->fd = -1;
	conn->peer = (struct peer_process){(uid_t)-1, 0, -1};
	conn->readable = event_new(
	    base, -1, EV_READ | EV_PERSIST, receipt_conn_on_readable, conn);
	conn->process_ended =
	    event_new(base, -1, EV_READ, receipt_conn_on_process_ended, conn);
	if (timer_init(&conn->deadline, base, receipt_conn_on_deadline, conn) ==
		-1 ||
	    conn->readable == NULL || conn->process_ended == NULL) {
		receipt_conn_free(conn);
		errno = ENOMEM;
		return -1;
	}
	conn->ring.on_news = receipt_conn_on_news;
	conn->ring.owner = conn;
	*reserved = conn;
	return 0;
}

/* Takes fd, also if it fails.  0, or -1 with ENOMEM. */
static int
receipt_conn_open(
    struct receipt_conn *conn, int fd, struct receipt_conn_list *list)
{
	const int none = 0;

	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof(none));
	conn->fd = fd;
	event_assign(conn->readable, conn->context->base, fd,
	    EV_READ | EV_PERSIST, receipt_conn_on_readable, conn);
	if (event_add(conn->readable, NULL) == -1) {
		errno = ENOMEM;
		return -1;
	}
	conn->ledger_id = ledger_add_peer(conn->context->bounded->ledger, fd);
	receipt_conn_enter_list(conn, list);
	return 0;
}

struct receipt_conn *
receipt_conn_new(
    struct receipt_conn **reserved, int fd, struct receipt_conn_list *list)
{
	struct receipt_conn *conn = *reserved;

	if (receipt_conn_open(conn, fd, list) == -1)
		return NULL;
	*reserved = NULL;
	peer_process_of_socket(fd, &conn->peer);
	receipt_conn_watch_peer(conn);
	timer_set(&conn->deadline, RECEIPT_CONN_DEADLINE_US);
	return conn;
}

struct receipt_conn *
receipt_conn_new_link(struct worker_context *context,
    struct receipt_conn_list *list, int *out_end)
{
	struct receipt_conn *conn = NULL;
	int ends[2];

	if (receipt_conn_reserve(context, &conn) == -1)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, ends) == -1) {
		receipt_conn_free(conn);
		return NULL;
	}
	peer_process_ask(ends[0], 1);
	conn->is_link = 1;
	if (receipt_conn_open(conn, ends[0], list) == -1) {
		receipt_conn_free(conn);
		fd_close(ends[1]);
		return NULL;
	}
	*out_end = ends[1];
	return conn;
}

void
receipt_conn_free(struct receipt_conn *conn)
{
	if (conn == NULL)
		return;
	if (conn->list != NULL)
		receipt_conn_leave_list(conn);
	timer_free_event(&conn->readable);
	timer_free_event(&conn->process_ended);
	timer_done(&conn->deadline);
	receipt_ring_close(&conn->ring);
	fd_close(conn->peer.pidfd);
	/* Unread messages may have descriptors. */
	if (conn->fd != -1)
		bounded_close_fd(conn->context->bounded, conn->fd);
	free(conn);
}

void
receipt_conn_claim(struct receipt_conn *conn, struct receipt_conn_list *list)
{
	receipt_conn_leave_list(conn);
	receipt_conn_enter_list(conn, list);
	conn->state = RECEIPT_CONN_CLAIMED;
	timer_stop(&conn->deadline);
	timer_add_event(conn->readable, NULL);
	if (conn->hello.takes_ring)
		receipt_ring_offer(&conn->ring, &conn->context->rings, conn->fd,
		    conn->context->epoch);
	else if (conn->hello.takes_link)
		receipt_ring_answer(conn->fd, conn->context->epoch, -1);
}

void
receipt_conn_limit(struct receipt_conn_list *list, size_t most,
    const struct receipt_conn *ending)
{
	struct receipt_conn *oldest;

	while (list->count > most + (ending != NULL)) {
		oldest = TAILQ_FIRST(&list->head);
		if (oldest == ending)
			oldest = TAILQ_NEXT(oldest, entry);
		receipt_conn_free(oldest);
	}
}
