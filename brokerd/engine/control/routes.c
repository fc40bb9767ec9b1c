/* SPDX-License-Identifier: ISC */
/*
 * The routes of the control socket.  Engine, unprivileged.
 */
#include "engine/control/routes.h"

#include "base/log.h"
#include "engine/control/answer.h"
#include "engine/control/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ROUTES_METRICS "text/plain; version=0.0.4; charset=utf-8"

static void
route_report(struct call *call, const struct route *route)
{
	writer_start(call->peer, call->context, route->type, route->step);
}

/* The argument is the message for the monitor. */
static void
route_ask(struct call *call, const struct route *route)
{
	const struct control_context *context = call->context;

	if (peer_find_waiting(call->peer->list) != NULL) {
		answer_result(call->peer, EX_TEMPFAIL,
		    "another reload or upgrade is in progress");
		return;
	}
	peer_set_state(call->peer, PEER_WAITING);
	if (context->callbacks->ask(
		context->owner, (enum channel_type)route->argument) == -1)
		answer_result(call->peer, EX_UNAVAILABLE,
		    "brokerd itself has died and only its engine serves: "
		    "start it again");
}

/* The listener that the first word names, or NULL after an answer. */
static struct listener *
route_find_listener(struct call *call)
{
	struct listener *listener =
	    listener_find(call->context->listeners, call->words[0]);

	if (listener == NULL)
		answer_result(
		    call->peer, EX_USAGE, "there is no such listener");
	return listener;
}

static void
route_explain(struct call *call, const struct route *route)
{
	const struct listener *listener = route_find_listener(call);

	(void)route;
	if (listener != NULL)
		answer_json(call->peer, report_explain(listener));
}

static void
route_whois(struct call *call, const struct route *route)
{
	const char *word = call->words[0];
	json_t *json;

	(void)route;
	if (*word == '\0' || word[strspn(word, "0123456789")] != '\0') {
		answer_result(call->peer, EX_USAGE,
		    "expected the inode number of a socket, as ss -e and "
		    "/proc/PID/fd show it");
		return;
	}
	json = report_whois(call->context, strtoull(word, NULL, 10));
	if (json != NULL)
		answer_json(call->peer, json);
	else
		answer_result(call->peer, EX_USAGE,
		    "no socket of the engine has this number: a connection "
		    "that a worker has confirmed is the worker's alone");
}

/* Changes are logged with the user who asked for them. */
static void
route_changed(struct call *call, const char *text)
{
	const char *worker = call->words[1];

	log_line(call->context->log, LOG_NOTICE,
	    "listener %s%s%s: %s (asked by uid %u)", call->words[0],
	    worker == NULL ? "" : ": worker ", worker == NULL ? "" : worker,
	    text, call->peer->uid);
	answer_result(call->peer, EX_OK, text);
}

/* The argument is true for a pause and false for the end of one. */
static void
route_pause(struct call *call, const struct route *route)
{
	struct listener *listener = route_find_listener(call);
	int paused = route->argument;

	if (listener == NULL)
		return;
	if (listener_set_paused(listener, paused) == 0)
		route_changed(call,
		    paused ? "paused: connections wait" :
			     "resumed: accepting again");
	else if (listener_is_lent(listener))
		answer_result(call->peer, EX_UNAVAILABLE,
		    "its sockets are lent: only its workers accept, and can "
		    "pause");
	else
		answer_result(call->peer, EX_OSERR, strerror(errno));
}

static void
route_drain(struct call *call, const struct route *route)
{
	struct listener *listener = route_find_listener(call);

	(void)route;
	if (listener == NULL)
		return;
	if (pool_drain(listener->pool, call->words[1]) == 0)
		route_changed(call,
		    "draining: it gets no more, and finishes what it has");
	else
		answer_result(
		    call->peer, EX_USAGE, "the listener has no such worker");
}

const struct route routes[] = {
    {PEER_READ, "/v1/status", route_report, 0, ANSWER_JSON, report_status},
    {PEER_READ, "/v1/workers", route_report, 0, ANSWER_JSON, report_workers},
    {PEER_READ, "/v1/metrics", route_report, 0, ROUTES_METRICS, report_metrics},
    {PEER_READ, "/v1/listeners/*", route_explain, 0, NULL, NULL},
    {PEER_READ, "/v1/sockets/*", route_whois, 0, NULL, NULL},
    {PEER_CHANGE, "/v1/listeners/*/pause", route_pause, 1, NULL, NULL},
    {PEER_CHANGE, "/v1/listeners/*/resume", route_pause, 0, NULL, NULL},
    {PEER_CHANGE, "/v1/listeners/*/workers/*/drain", route_drain, 0, NULL,
	NULL},
    {PEER_CHANGE, "/v1/reload", route_ask, CHANNEL_RELOAD, NULL, NULL},
    {PEER_CHANGE, "/v1/upgrade", route_ask, CHANNEL_UPGRADE, NULL, NULL},
    {PEER_NOTHING, NULL, NULL, 0, NULL, NULL},
};
