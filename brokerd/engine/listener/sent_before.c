/* SPDX-License-Identifier: ISC */
/*
 * What workers have from an engine that was killed.  Engine, unprivileged.  The
 * duplicates here protect connections against the death of the worker, and so
 * that the client's end of file does not wait for them, they are looked at
 * often at first: most are touched within milliseconds.
 */
#include "engine/listener/sent_before.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/ledger.h"
#include "engine/handoff/socket_option.h"
#include "engine/handoff/tcp_probe.h"
#include "engine/policy/errors.h"
#include "engine/pool/dispatch.h"
#include "engine/worker/receipt_message.h"

#include <errno.h>
#include <stdlib.h>

#define SENT_BEFORE_FIRST_US 2000  /* until the first look */
#define SENT_BEFORE_LAST_US 50000  /* between later ones */
#define SENT_BEFORE_MESSAGES 64    /* that are read in a row */
#define SENT_BEFORE_WORK (1 << 18) /* compared with receipts in a look */
#define SENT_BEFORE_CALL 256       /* what a call counts for there */
#define SENT_BEFORE_LOOKED 256     /* connections, in a part of a look */
#define SENT_BEFORE_REST 9         /* times as long as a part took, in vain */
#define SENT_BEFORE_VAIN 8         /* if fewer than an eighth have ended */
#define SENT_BEFORE_PEERS 16384
#define SENT_BEFORE_BYTES                      \
	(sizeof(struct fdrecv_wire_receipts) + \
	    FDRECV_WIRE_RECEIPTS_MAX * sizeof(struct fdrecv_wire_receipt))

/* Returns how many comparisons it took. */
static size_t
sent_peer_on_message(
    const struct sent_peer *peer, const unsigned char *bytes, size_t size)
{
	struct sent_connection *connection;
	struct fdrecv_wire_receipts head;
	struct fdrecv_wire_receipt receipt;

	if (receipt_message_decode(bytes, size, &head) == -1)
		return 0;
	for (size_t i = 0; i < head.count; i++) {
		receipt_message_at(bytes, &head, i, &receipt);
		TAILQ_FOREACH (connection, &peer->connections, peer_entry) {
			if (connection->handoff->sequence - receipt.sequence >=
			    receipt.count)
				continue;
			connection->taken |= receipt.kind == FDRECV_WIRE_TAKEN;
			connection->lost |= receipt.kind == FDRECV_WIRE_LIMIT ||
			    receipt.kind == FDRECV_WIRE_DENIED;
		}
	}
	return head.count * peer->count;
}

/* Reads what has come while work is left, and takes from work what it costs.
 * True if the peer has ended.  A hostile worker, or an engine that made the
 * socket, may send messages without end. */
static int
sent_peer_has_ended(
    struct sent_before *sent, const struct sent_peer *peer, size_t *work)
{
	unsigned char bytes[SENT_BEFORE_BYTES];
	ssize_t n = 1;
	size_t cost = 0;

	bounded_close_begin(sent->bounded);
	for (int i = 0; n > 0 && i < SENT_BEFORE_MESSAGES && cost < *work;
	     i++) {
		n = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		cost += SENT_BEFORE_CALL;
		if (n > 0)
			cost += sent_peer_on_message(peer, bytes, (size_t)n);
	}
	bounded_close_end(sent->bounded);
	*work -= cost < *work ? cost : *work;
	return n == 0 || (n == -1 && !errors_is_passing(errno));
}

/* The next look begins with those that had no turn. */
static void
sent_before_read(struct sent_before *sent)
{
	size_t work = SENT_BEFORE_WORK;
	struct sent_peer *peer;

	for (size_t left = sent->peer_count; left > 0 && work > 0; left--) {
		peer = TAILQ_FIRST(&sent->peers);
		TAILQ_REMOVE(&sent->peers, peer, entry);
		TAILQ_INSERT_TAIL(&sent->peers, peer, entry);
		peer->has_ended |= sent_peer_has_ended(sent, peer, &work);
	}
}

static void
sent_peer_leave(struct sent_before *sent, struct sent_peer *peer)
{
	if (peer == NULL || --peer->count > 0)
		return;
	TAILQ_REMOVE(&sent->peers, peer, entry);
	sent->peer_count--;
	bounded_close_fd(sent->bounded, peer->fd);
	free(peer);
}

static void
sent_connection_free(
    struct sent_before *sent, struct sent_connection *connection)
{
	if (connection->peer != NULL)
		TAILQ_REMOVE(
		    &connection->peer->connections, connection, peer_entry);
	sent_peer_leave(sent, connection->peer);
	TAILQ_REMOVE(&sent->connections, connection, entry);
	sent->count--;
	free(connection);
}

/* A local socket does not tell whether it was touched. */
static enum touched
sent_connection_touched(const struct handoff *handoff)
{
	return handoff->endpoint->socket.kind == RECORD_TCP ?
	    tcp_probe_touched(handoff) :
	    TOUCHED_PERHAPS;
}

/* A worker that has ended did so before the connection is looked at, so it
 * cannot touch it later. */
static void
sent_connection_look(
    struct sent_before *sent, struct sent_connection *connection)
{
	struct handoff *handoff = connection->handoff;
	int nobodys = connection->peer == NULL || connection->peer->has_ended ||
	    connection->lost;

	if (connection->taken ||
	    sent_connection_touched(handoff) != TOUCHED_NO ||
	    (!nobodys && clock_us() >= connection->until_us)) {
		handoff_free(handoff);
	} else if (nobodys) {
		handoff->stats->returned_sent++;
		handoff->redeliveries++;
		dispatch_take_over(connection->pool, handoff);
	} else {
		return;
	}
	sent_connection_free(sent, connection);
}

/* Returns how many it looked at, in turn. */
static size_t
sent_before_look_at_some(struct sent_before *sent)
{
	size_t count =
	    sent->count < SENT_BEFORE_LOOKED ? sent->count : SENT_BEFORE_LOOKED;
	struct sent_connection *connection;

	sent_before_read(sent);
	for (size_t left = count; left > 0; left--) {
		connection = TAILQ_FIRST(&sent->connections);
		TAILQ_REMOVE(&sent->connections, connection, entry);
		TAILQ_INSERT_TAIL(&sent->connections, connection, entry);
		sent_connection_look(sent, connection);
	}
	return count;
}

static void
sent_before_set_timer(struct sent_before *sent, uint64_t delay_us)
{
	uint64_t now_us = clock_us();

	timer_set(&sent->look,
	    sent->rest_until_us > now_us + delay_us ?
		sent->rest_until_us - now_us :
		delay_us);
}

/* A hostile engine may have left as many as it could. */
static void
sent_before_on_look(void *owner)
{
	struct sent_before *sent = owner;
	uint64_t begun_us = clock_us(), now_us;
	size_t before = sent->count, looked = sent_before_look_at_some(sent);

	if (TAILQ_EMPTY(&sent->connections)) {
		sent->looked = 0;
		return;
	}
	now_us = clock_us();
	sent->rest_until_us = now_us + now_us - begun_us;
	if ((before - sent->count) * SENT_BEFORE_VAIN < looked)
		sent->rest_until_us += (now_us - begun_us) * SENT_BEFORE_REST;
	sent->looked += looked;
	if (sent->looked < sent->count) {
		sent_before_set_timer(sent, 0);
		return;
	}
	sent->looked = 0;
	sent_before_set_timer(sent, sent->look_us);
	sent->look_us *= 2;
	if (sent->look_us > SENT_BEFORE_LAST_US)
		sent->look_us = SENT_BEFORE_LAST_US;
}

int
sent_before_init(struct sent_before *sent, struct event_base *base,
    struct bounded_close *bounded)
{
	TAILQ_INIT(&sent->connections);
	TAILQ_INIT(&sent->peers);
	sent->count = sent->peer_count = sent->looked = 0;
	sent->rest_until_us = 0;
	sent->reserved = NULL;
	sent->reserved_peer = NULL;
	sent->bounded = bounded;
	return timer_init(&sent->look, base, sent_before_on_look, sent);
}

/* For a later engine it is one that was sent, as it was for this one. */
static void
sent_connection_note(struct sent_before *sent, const struct handoff *handoff,
    const struct sent_peer *peer)
{
	ledger_keep_sent(
	    sent->bounded->ledger, handoff, peer->fd, peer->ledger_id);
}

int
sent_before_reserve(struct sent_before *sent)
{
	if (sent->reserved == NULL)
		sent->reserved = calloc(1, sizeof(*sent->reserved));
	if (sent->reserved_peer == NULL)
		sent->reserved_peer = calloc(1, sizeof(*sent->reserved_peer));
	return sent->reserved == NULL || sent->reserved_peer == NULL ? -1 : 0;
}

/* Takes fd.  NULL if there are too many. */
static struct sent_peer *
sent_peer_new(struct sent_before *sent, int fd, uint64_t cookie)
{
	struct sent_peer *peer = sent->reserved_peer;

	if (sent->peer_count == SENT_BEFORE_PEERS) {
		bounded_close_fd(sent->bounded, fd);
		return NULL;
	}
	sent->reserved_peer = NULL;
	peer->cookie = cookie;
	peer->fd = fd;
	peer->ledger_id = ledger_peer_id(sent->bounded->ledger, fd);
	TAILQ_INIT(&peer->connections);
	TAILQ_INSERT_TAIL(&sent->peers, peer, entry);
	sent->peer_count++;
	return peer;
}

/* The receipt connection of a hand-off (takes fd).  NULL if it is none. */
static struct sent_peer *
sent_peer_find(struct sent_before *sent, const struct handoff *handoff, int fd)
{
	struct sent_peer *peer;
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == -1)
		cookie = 0;
	TAILQ_FOREACH (peer, &sent->peers, entry)
		if (peer->cookie == cookie)
			break;
	if (peer == NULL && cookie != 0 &&
	    socket_option(fd, SO_TYPE) == SOCK_SEQPACKET)
		return sent_peer_new(sent, fd, cookie);
	if (peer != NULL) /* while both are open */
		sent_connection_note(sent, handoff, peer);
	bounded_close_fd(sent->bounded, fd);
	return peer;
}

void
sent_before_add(struct sent_before *sent, struct handoff *handoff,
    struct pool *pool, int peer)
{
	struct sent_connection *connection = sent->reserved;
	struct sent_peer *found = NULL;

	if (peer != -1 &&
	    (found = sent_peer_find(sent, handoff, peer)) == NULL) {
		handoff_free(handoff); /* the worker has it */
		return;
	}
	sent->reserved = NULL;
	if (found != NULL) {
		found->count++;
		sent_connection_note(sent, handoff, found);
	}
	*connection = (struct sent_connection){.handoff = handoff,
	    .pool = pool,
	    .peer = found,
	    .until_us = clock_us() +
		UINT64_C(1000000) * handoff->endpoint->receipt_timeout_s};
	TAILQ_INSERT_TAIL(&sent->connections, connection, entry);
	sent->count++;
	if (found != NULL)
		TAILQ_INSERT_TAIL(&found->connections, connection, peer_entry);
	if (found == NULL) {
		sent_connection_look(sent, connection);
		return;
	}
	/* Others that come all the time must not put it off. */
	if (sent->look_us == SENT_BEFORE_FIRST_US && timer_is_set(&sent->look))
		return;
	sent->look_us = SENT_BEFORE_FIRST_US;
	sent_before_set_timer(sent, sent->look_us);
}

void
sent_before_done(struct sent_before *sent)
{
	struct sent_connection *connection;

	if (sent->look.event == NULL)
		return;
	while ((connection = TAILQ_FIRST(&sent->connections)) != NULL) {
		handoff_free(connection->handoff);
		sent_connection_free(sent, connection);
	}
	free(sent->reserved);
	free(sent->reserved_peer);
	timer_done(&sent->look);
}
