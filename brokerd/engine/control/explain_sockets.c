/* SPDX-License-Identifier: ISC */
/*
 * Sentences about the sockets of a listener.  Engine, unprivileged.
 */
#include "engine/control/explain.h"

#include "base/clock.h"

#define EXPLAIN_WHO_SIZE 512
#define EXPLAIN_UNTAKEN_MS 1000 /* a program that is busy takes that long */

/* Clients have waited for since_ms, and nobody takes them. */
static void
explain_untaken(const struct listener *listener,
    const struct listener_endpoint *endpoint, uint64_t since_ms, json_t *lines)
{
	const struct socket_queue *queue = &endpoint->queue;
	char who[EXPLAIN_WHO_SIZE], count[32] = "clients have";

	if (queue->is_known &&
	    record_has_connections(&endpoint->record->socket))
		snprintf(count, sizeof(count), "%u client%s", queue->size,
		    queue->size == 1 ? " has" : "s have");
	borrower_list_text(listener->pool, who, sizeof(who));
	report_add_line(lines,
	    "%s: %s waited for %llu s, and no program takes them: %s.  Let a "
	    "program accept from this address, or take the address out of the "
	    "listener.",
	    endpoint->record->socket.name, count,
	    (unsigned long long)(clock_ms() - since_ms) / 1000, who);
}

static void
explain_queue(const struct listener *listener,
    struct listener_endpoint *endpoint, json_t *lines)
{
	const struct record_socket *sock = &endpoint->record->socket;
	uint64_t since_ms = listener_endpoint_ask(endpoint);
	const struct socket_queue *queue = &endpoint->queue;

	if (queue->is_known && queue->size > 0)
		report_add_line(lines,
		    record_has_connections(sock) ?
			"%s: %u of at most %u connections are in the kernel's "
			"queue." :
			"%s: the datagrams that wait use %u of %u bytes.",
		    sock->name, queue->size, queue->limit);
	else if (queue->waits)
		report_add_line(lines, "%s: %s wait in the kernel.", sock->name,
		    socket_queue_unit(sock));
	if (queue->drops > 0)
		report_add_line(lines,
		    "%s: the kernel has dropped %u %s, which came while the "
		    "queue was full or could not be checked.",
		    sock->name, queue->drops,
		    record_has_connections(sock) ? "requests to connect" :
						   "datagrams");
	if (since_ms != 0 && clock_ms() - since_ms >= EXPLAIN_UNTAKEN_MS)
		explain_untaken(listener, endpoint, since_ms, lines);
}

static void
explain_holders(const struct listener *listener, json_t *lines)
{
	char who[EXPLAIN_WHO_SIZE];

	borrower_list_text(listener->pool, who, sizeof(who));
	report_add_line(lines,
	    "The sockets were %s; as root, brokerctl shows who has them.", who);
}

static void
explain_unbound(const struct listener *listener, json_t *lines)
{
	struct listener_endpoint *endpoint;

	TAILQ_FOREACH (endpoint, &listener->unbound, entry)
		report_add_line(lines,
		    "%s is not bound (%s).  \"brokerctl reload\" tries it "
		    "again.",
		    endpoint->record->socket.name,
		    listener_endpoint_error(endpoint));
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		upkeep_look_for_file(&endpoint->upkeep);
		if (endpoint->upkeep.is_dead)
			report_add_line(lines,
			    "%s cannot be used: it was shut down or its file "
			    "is gone.  The log says what will be done.",
			    endpoint->record->socket.name);
	}
}

void
explain_sockets(const struct listener *listener, json_t *lines)
{
	struct listener_endpoint *endpoint;

	explain_unbound(listener, lines);
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
		explain_queue(listener, endpoint, lines);
	if (listener_is_lent(listener) && !TAILQ_EMPTY(&listener->endpoints))
		explain_holders(listener, lines);
}
