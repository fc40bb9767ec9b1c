/* SPDX-License-Identifier: ISC */
/*
 * How a listener is, in words: what it waits for, why, and what helps.
 * Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "base/clock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void explain_add(json_t *lines, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
explain_add(json_t *lines, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	json_array_append_new(lines, control_text(text));
}

static void
explain_absent(const struct listener *listener, json_t *lines)
{
	unsigned int limit = listener->record->give_up_s;
	uint64_t waited_s = (clock_ms() - listener->absent_ms) / 1000;

	explain_add(lines,
	    "Connections wait in the kernel, for %llu s by now: there is no "
	    "worker.",
	    (unsigned long long)waited_s);
	if (limit == 0)
		explain_add(lines, "They wait for ever, since give-up is 0.");
	else
		explain_add(lines,
		    "After %u s (give-up) they are refused until there is one.",
		    limit);
}

static void
explain_state(const struct listener *listener, json_t *lines)
{
	const struct record_endpoint *record = listener->record;

	switch (listener->state) {
	case LISTENER_STOPPED:
		explain_add(
		    lines, "It accepts nothing: this engine is about to end.");
		return;
	case LISTENER_OPEN:
		explain_add(lines,
		    listener_is_lent(listener) ?
			"Its sockets are lent: what comes waits there for the "
			"programs that have them." :
			pool_has_worker(listener->pool) ?
			"It accepts connections and hands them off." :
			"There is no worker: the first connection will wait "
			"in the kernel.");
		return;
	case LISTENER_WAITING:
		if (listener->absent_ms != 0)
			explain_absent(listener, lines);
		else
			explain_add(lines,
			    "Connections wait in the kernel: no worker has "
			    "room.  \"brokerctl workers\" shows what each has "
			    "in hand, and may have.");
		return;
	case LISTENER_REFUSING:
		explain_add(lines,
		    "Connections are refused: there was no worker for %u s "
		    "(give-up).  They are handed off as soon as there is one.",
		    record->give_up_s);
		return;
	case LISTENER_RESTING:
		explain_add(lines,
		    "Connections wait in the kernel: accepting failed, and is "
		    "tried again within a second; the log says why.");
		return;
	case LISTENER_PAUSED:
		explain_add(lines,
		    "Connections wait in the kernel, without a limit of time: "
		    "it was paused.  \"brokerctl resume %s\" ends that.",
		    record->listener);
		return;
	}
}

/* For a listening socket TCP_INFO tells of its queue; see tcp_get_info() in
 * the kernel. */
static void
explain_queues(const struct listener *listener, json_t *lines)
{
	const struct listener_endpoint *endpoint;
	struct tcp_info info;
	socklen_t size;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		size = sizeof(info);
		if (endpoint->record.kind != RECORD_TCP ||
		    getsockopt(endpoint->fd, IPPROTO_TCP, TCP_INFO, &info,
			&size) == -1 ||
		    info.tcpi_unacked == 0)
			continue;
		explain_add(lines, "At %s %u wait, of %u that may.",
		    endpoint->record.name, info.tcpi_unacked, info.tcpi_sacked);
	}
}

static void
explain_workers(const struct listener *listener, json_t *lines)
{
	unsigned int full = 0, paused = 0, draining = 0, left = 0, ready = 0;
	const struct pool *pool = listener->pool;
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry) {
		if (worker->left)
			left++;
		else if (worker->draining)
			draining++;
		else if (worker->paused)
			paused++;
		else if (worker->full)
			full++;
		else
			ready++;
	}
	if (TAILQ_EMPTY(&pool->workers))
		explain_add(lines, "At %s there is no mailbox%s.",
		    pool->finder.path,
		    listener_is_lent(listener) ?
			": what fdrecv-exec has started needs none" :
			" that can be used");
	else
		explain_add(lines,
		    "At %s: %u ready, %u with a full mailbox, %u paused by "
		    "themselves, %u draining, %u that left.",
		    pool->finder.path, ready, full, paused, draining, left);
}

static void
explain_fault(const struct finder *finder, json_t *lines)
{
	const struct finder_fault *fault = &finder->last;

	if (fault->error == 0)
		return;
	explain_add(lines, "%s%s could not be used %llu s ago: %s: %s.",
	    finder->directory, fault->name,
	    (unsigned long long)(clock_ms() - fault->at_ms) / 1000,
	    strerror(fault->error),
	    fault->name[0] == '\0' && fault->error == ENOENT ?
		"workers need this directory" :
		finder_cure(fault->error, fault->looked));
}

json_t *
control_explain(const struct listener *listener)
{
	json_t *lines = json_array();
	uint64_t held = listener->stats->held;

	explain_state(listener, lines);
	explain_queues(listener, lines);
	explain_workers(listener, lines);
	if (held != 0)
		explain_add(lines,
		    "%llu came back from workers, or found them full, and "
		    "wait in the engine.",
		    (unsigned long long)held);
	explain_fault(&listener->pool->finder, lines);
	return json_pack("{s:s, s:s, s:o}", "name", listener->record->listener,
	    "state", listener_state_name(listener), "text", lines);
}
