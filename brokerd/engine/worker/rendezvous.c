/* SPDX-License-Identifier: ISC */
/*
 * First contact of workers.  Engine, unprivileged.  Any process may connect, so
 * connections without a known worker are limited in number and time.
 */
#include "engine/worker/rendezvous.h"

#include "base/clock.h"
#include "base/text.h"
#include "channel/adoption.h"
#include "engine/handoff/bounded_close.h"
#include "engine/worker/receipts.h"

#include "wire/question.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define RENDEZVOUS_NAME_SIZE (FDRECV_WIRE_LISTENER_MAX + 1)
#define RENDEZVOUS_WAITING 64        /* connections, of all users */
#define RENDEZVOUS_WAITING_OF_USER 8 /* and of one */
#define RENDEZVOUS_ROUND 16          /* connections accepted in a row */
#define RENDEZVOUS_REST_US 100000    /* when accept fails */
#define RENDEZVOUS_ENDED 4           /* and of these in vain */
#define RENDEZVOUS_REST 9            /* times as long as it took, in vain */

/* The name of the listener that a message asks for.  0, or -1 if it asks
 * nothing. */
static int
rendezvous_read_question(
    const unsigned char *bytes, size_t size, char name[RENDEZVOUS_NAME_SIZE])
{
	struct fdrecv_wire_question wire;

	if (size < sizeof(wire))
		return -1;
	memcpy(&wire, bytes, sizeof(wire));
	if (memcmp(wire.magic, FDRECV_WIRE_QUESTION_MAGIC,
		FDRECV_WIRE_MAGIC_SIZE) != 0 ||
	    wire.version != FDRECV_WIRE_VERSION || wire.size < sizeof(wire) ||
	    wire.size > size || wire.name_length > size - wire.size ||
	    wire.name_length >= RENDEZVOUS_NAME_SIZE)
		return -1;
	memcpy(name, bytes + wire.size, wire.name_length);
	name[wire.name_length] = '\0';
	return 0;
}

/* If there is no room for it, the process that asked has no answer. */
static void
rendezvous_answer(const struct rendezvous *rendezvous, int fd, const char *name)
{
	int kind = rendezvous->callbacks->describe(rendezvous->owner, name);
	const struct fdrecv_wire_answer answer = {
	    .magic = FDRECV_WIRE_ANSWER_MAGIC,
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(answer),
	    .kind = (uint16_t)kind};

	if (kind != -1)
		send(fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* HELLO, a question, or a monitor that asks for sockets and may take its
 * time. */
static int
rendezvous_on_message(void *owner, struct receipt_conn *conn,
    const unsigned char *bytes, size_t size)
{
	struct rendezvous *rendezvous = owner;
	const struct rendezvous_callbacks *callbacks = rendezvous->callbacks;
	char name[RENDEZVOUS_NAME_SIZE];
	struct channel_adopt adopt;
	struct worker *worker;

	if (rendezvous_read_question(bytes, size, name) == 0) {
		rendezvous_answer(rendezvous, conn->fd, name);
		return -1;
	}
	if (size == sizeof(adopt) &&
	    memcmp(bytes, CHANNEL_ADOPT_MAGIC, sizeof(adopt.magic)) == 0) {
		memcpy(&adopt, bytes, sizeof(adopt));
		timer_stop(&conn->deadline);
		return callbacks->on_adopt(
		    rendezvous->owner, &adopt, conn->peer.uid, conn->fd);
	}
	if (hello_decode(bytes, size, &conn->hello) == -1)
		return -1;
	conn->state = RECEIPT_CONN_WAITING;
	worker =
	    callbacks->find(rendezvous->owner, &conn->hello, conn->peer.uid);
	if (worker == NULL)
		return 0;
	rendezvous->repeated = worker->instance != 0;
	receipts_on_hello(worker, conn);
	return 0;
}

static void
rendezvous_on_end(void *owner, struct receipt_conn *conn)
{
	(void)owner;
	receipt_conn_free(conn);
}

static int
rendezvous_may_wait(
    const struct rendezvous *rendezvous, const struct receipt_conn *conn)
{
	const struct receipt_conn *other;
	size_t count = 0;

	TAILQ_FOREACH (other, &rendezvous->waiting.head, entry)
		count += other->peer.uid == conn->peer.uid;
	return count <= RENDEZVOUS_WAITING_OF_USER;
}

/* When a new engine has sent its first datagrams, all workers come at once: a
 * connection that says HELLO at once does not count as waiting. */
static int
rendezvous_add(struct rendezvous *rendezvous, struct receipt_conn *conn)
{
	int ended;

	rendezvous->repeated = 0;
	ended = receipt_conn_catch_up(conn) == -1 ||
	    !rendezvous_may_wait(rendezvous, conn);
	if (ended)
		receipt_conn_free(conn);
	receipt_conn_limit(&rendezvous->waiting, RENDEZVOUS_WAITING, NULL);
	return ended || rendezvous->repeated;
}

static void
rendezvous_rest(struct rendezvous *rendezvous, uint64_t delay_us)
{
	event_del(rendezvous->readable);
	timer_set(&rendezvous->rest, delay_us);
}

/* Accepts one if there is memory for it, as it may be the only one of a worker,
 * or takes one that could not be watched.  NULL with errno. */
static struct receipt_conn *
rendezvous_accept_one(struct rendezvous *rendezvous)
{
	int fd;

	if (receipt_conn_reserve(rendezvous->context, &rendezvous->reserved) ==
	    -1)
		return NULL;
	fd = rendezvous->reserved->fd;
	if (fd == -1)
		fd = accept4(
		    rendezvous->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return fd == -1 ?
	    NULL :
	    receipt_conn_new(&rendezvous->reserved, fd, &rendezvous->waiting);
}

/* Returns how many were in vain. */
static int
rendezvous_accept(struct rendezvous *rendezvous)
{
	struct receipt_conn *conn;
	int ended = 0;

	for (int i = 0; i < RENDEZVOUS_ROUND && ended < RENDEZVOUS_ENDED; i++) {
		conn = rendezvous_accept_one(rendezvous);
		if (conn == NULL && errno != EAGAIN && errno != EINTR)
			rendezvous_rest(rendezvous, RENDEZVOUS_REST_US);
		if (conn == NULL)
			break;
		ended += rendezvous_add(rendezvous, conn);
	}
	return ended;
}

/* Whoever connects and hangs up, again and again, gets a tenth of the engine's
 * time. */
static void
rendezvous_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct rendezvous *rendezvous = argument;
	uint64_t begun_us = clock_us(), spent_us;

	(void)fd;
	(void)what;
	if (rendezvous_accept(rendezvous) == 0 ||
	    timer_is_set(&rendezvous->rest))
		return;
	spent_us = (clock_us() - begun_us) * RENDEZVOUS_REST;
	rendezvous_rest(rendezvous,
	    spent_us < RENDEZVOUS_REST_US ? spent_us : RENDEZVOUS_REST_US);
}

static void
rendezvous_on_rested(void *owner)
{
	struct rendezvous *rendezvous = owner;

	timer_add_event(rendezvous->readable, NULL);
	if (rendezvous->reserved != NULL && rendezvous->reserved->fd != -1)
		rendezvous_accept(rendezvous);
}

void
rendezvous_catch_up(struct rendezvous *rendezvous)
{
	struct receipt_conn *conn, *next;

	if (rendezvous->path[0] == '\0')
		return;
	rendezvous_accept(rendezvous);
	for (conn = TAILQ_FIRST(&rendezvous->waiting.head); conn != NULL;
	     conn = next) {
		next = TAILQ_NEXT(conn, entry);
		if (receipt_conn_catch_up(conn) == -1)
			receipt_conn_free(conn);
	}
}

void
rendezvous_on_worker(struct rendezvous *rendezvous, struct worker *worker)
{
	struct receipt_conn *conn, *next;

	for (conn = TAILQ_FIRST(&rendezvous->waiting.head); conn != NULL;
	     conn = next) {
		next = TAILQ_NEXT(conn, entry);
		if (conn->state == RECEIPT_CONN_WAITING &&
		    rendezvous->callbacks->find(rendezvous->owner, &conn->hello,
			conn->peer.uid) == worker)
			receipts_on_hello(worker, conn);
	}
}

void
rendezvous_init(struct rendezvous *rendezvous, struct worker_context *context,
    const struct rendezvous_callbacks *callbacks, void *owner)
{
	static const struct receipt_conn_callbacks waiting = {
	    .on_message = rendezvous_on_message, .on_end = rendezvous_on_end};

	*rendezvous = (struct rendezvous){.context = context,
	    .callbacks = callbacks,
	    .owner = owner,
	    .fd = -1,
	    .waiting = {.callbacks = &waiting, .owner = rendezvous}};
	TAILQ_INIT(&rendezvous->waiting.head);
	context->rendezvous_path = rendezvous->path;
}

int
rendezvous_open(struct rendezvous *rendezvous, const char *path, int fd)
{
	struct event_base *base = rendezvous->context->base;

	rendezvous->fd = fd;
	rendezvous->readable = event_new(
	    base, fd, EV_READ | EV_PERSIST, rendezvous_on_readable, rendezvous);
	if (rendezvous->readable == NULL ||
	    timer_init(&rendezvous->rest, base, rendezvous_on_rested,
		rendezvous) == -1 ||
	    text_copy(rendezvous->path, sizeof(rendezvous->path), path) == -1)
		return -1;
	return event_add(rendezvous->readable, NULL);
}

void
rendezvous_close(struct rendezvous *rendezvous)
{
	struct receipt_conn *conn;

	while ((conn = TAILQ_FIRST(&rendezvous->waiting.head)) != NULL)
		receipt_conn_free(conn);
	receipt_conn_free(rendezvous->reserved);
	rendezvous->reserved = NULL;
	timer_free_event(&rendezvous->readable);
	timer_done(&rendezvous->rest);
	if (rendezvous->fd != -1)
		rendezvous->fd = bounded_close_fd(
		    rendezvous->context->bounded, rendezvous->fd);
}
