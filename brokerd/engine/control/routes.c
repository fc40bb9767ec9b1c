/* SPDX-License-Identifier: ISC */
/*
 * Requests at the control socket: who may do what.  Engine, unprivileged.
 */
#include "engine/control/routes.h"

#include "base/log.h"
#include "engine/control/answer.h"
#include "engine/listener/listener_list.h"
#include "engine/pool/borrower.h"
#include "engine/pool/vitals.h"

#include <errno.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ROUTES_WORDS 2
#define ROUTES_JOINING 16 /* peers of all kinds: some are left for others */
#define ROUTES_METRICS "text/plain; version=0.0.4; charset=utf-8"

/* A request whose path matches a route. */
struct call {
	const struct control_context *context;
	struct peer *peer;
	char *words[ROUTES_WORDS]; /* one for each * of the pattern */
};

struct route {
	enum peer_right right; /* PEER_READ by GET, PEER_CHANGE by POST */
	const char *pattern;   /* NULL: the end; * stands for any word */
	void (*handle)(struct call *call, const struct route *route);
	/* Arguments of handle. */
	int argument;
	const char *type;
	enum report_step (*step)(struct report *report);
};

static void
route_report(struct call *call, const struct route *route)
{
	answer_report(call->peer, call->context, route->type, route->step);
}

static int
route_has_query(const struct call *call, const char *text)
{
	const char *query = evhttp_uri_get_query(
	    evhttp_request_get_evhttp_uri(call->peer->request));

	return query != NULL && strcmp(query, text) == 0;
}

/* Another peer waits.  The reload in progress may have read the configuration
 * before this peer changed it, so the peer needs the next one. */
static void
route_join(struct call *call, enum channel_type request, unsigned int waiting)
{
	int shares =
	    waiting == CHANNEL_RELOAD && route_has_query(call, "wait=again");

	if (request != CHANNEL_RELOAD ||
	    call->peer->list->count > ROUTES_JOINING)
		answer_result(call->peer, EX_TEMPFAIL,
		    "another reload or upgrade is in progress");
	else
		peer_set_state(
		    call->peer, shares ? PEER_WAITING : PEER_JOINING);
}

/* The argument is the message for the monitor.  Peers whose request an earlier
 * engine did not answer asked before this engine served, so each reload of
 * which this engine gets the result began after that. */
static void
route_ask(struct call *call, const struct route *route)
{
	enum channel_type request = (enum channel_type)route->argument;
	struct requests *requests = call->context->requests;
	struct peer *peer = call->peer;
	const struct peer *other = peer_find_state(peer->list, PEER_WAITING);
	int waits = !route_has_query(call, "wait=no");

	peer->asks = request;
	if (waits && other != NULL) {
		route_join(call, request, other->asks);
		return;
	}
	if (requests_send(requests, request) == -1) {
		answer_result(peer, EX_UNAVAILABLE,
		    "brokerd itself has died and only its engine serves: "
		    "start it again");
		return;
	}
	if (!waits) {
		answer_result(
		    peer, EX_OK, "asked for it: the log will have the result");
		return;
	}
	if (request == CHANNEL_UPGRADE || !route_has_query(call, "wait=again"))
		peer->number = requests->count;
	peer_set_state(peer, PEER_WAITING);
}

/* The listener that the first word names, or NULL after an answer. */
static struct listener *
route_find_listener(struct call *call)
{
	struct listener *listener =
	    listener_list_find(call->context->listeners, call->words[0]);

	if (listener == NULL)
		answer_result(call->peer, EX_USAGE,
		    "there is no such listener: see brokerctl status");
	return listener;
}

static void
route_explain(struct call *call, const struct route *route)
{
	const struct listener *listener = route_find_listener(call);

	(void)route;
	if (listener != NULL)
		answer_json(
		    call->peer, report_explain(call->context, listener));
}

/* Why clients should be sent elsewhere, or NULL. */
static const char *
route_judge_health(const struct listener *listener)
{
	if (TAILQ_EMPTY(&listener->endpoints))
		return "none of its addresses could be bound";
	if (listener->state == LISTENER_PAUSED)
		return "paused: connections wait";
	if (listener->state == LISTENER_STOPPED)
		return "this engine is ending";
	if (listener_is_lent(listener))
		return borrower_list_any(listener->pool) ?
		    NULL :
		    "no program has its sockets";
	vitals_look(listener->pool);
	return pool_has_worker(listener->pool) ? NULL :
						 "no worker takes connections";
}

/* For load balancers.  Load is no fault: while all workers are busy, clients
 * may come. */
static void
route_health(struct call *call, const struct route *route)
{
	const struct listener *listener = route_find_listener(call);
	const char *wrong;

	(void)route;
	if (listener == NULL)
		return;
	wrong = route_judge_health(listener);
	answer_result(call->peer, wrong == NULL ? EX_OK : EX_TEMPFAIL,
	    wrong == NULL ? "healthy" : wrong);
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
	else
		answer_result(call->peer, EX_UNAVAILABLE,
		    "its sockets are lent: only its workers accept, so only "
		    "they can pause");
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
	else if (errno == ENOSPC)
		answer_result(call->peer, EX_UNAVAILABLE,
		    "too many workers are drained already: end some of them, "
		    "or end this one itself");
	else
		answer_result(
		    call->peer, EX_USAGE, "the listener has no such worker");
}

/* Everything that can be asked and changed, see doc/CONTROL.md. */
static const struct route routes[] = {
    {PEER_READ, "/v1/status", route_report, 0, ANSWER_JSON, report_status},
    {PEER_READ, "/v1/workers", route_report, 0, ANSWER_JSON, report_workers},
    {PEER_READ, "/v1/metrics", route_report, 0, ROUTES_METRICS, report_metrics},
    {PEER_READ, "/v1/listeners/*", route_explain, 0, NULL, NULL},
    {PEER_READ, "/v1/listeners/*/health", route_health, 0, NULL, NULL},
    {PEER_READ, "/v1/sockets/*", route_whois, 0, NULL, NULL},
    {PEER_CHANGE, "/v1/listeners/*/pause", route_pause, 1, NULL, NULL},
    {PEER_CHANGE, "/v1/listeners/*/resume", route_pause, 0, NULL, NULL},
    {PEER_CHANGE, "/v1/listeners/*/workers/*/drain", route_drain, 0, NULL,
	NULL},
    {PEER_CHANGE, "/v1/reload", route_ask, CHANNEL_RELOAD, NULL, NULL},
    {PEER_CHANGE, "/v1/upgrade", route_ask, CHANNEL_UPGRADE, NULL, NULL},
    {PEER_NOTHING, NULL, NULL, 0, NULL, NULL},
};

/* Gives the decoded text between two slashes and moves *path behind it; NULL
 * at the end, or if there is no memory. */
static char *
routes_next_word(const char **path)
{
	size_t length, size;
	char *part, *decoded;

	if (**path != '/')
		return NULL;
	(*path)++;
	length = strcspn(*path, "/");
	part = strndup(*path, length);
	*path += length;
	decoded = part == NULL ? NULL : evhttp_uridecode(part, 0, &size);
	if (decoded != NULL && strlen(decoded) != size)
		decoded[0] = '\0'; /* no name has a NUL */
	free(part);
	return decoded;
}

static void
routes_free_words(struct call *call)
{
	for (size_t i = 0; i < ROUTES_WORDS; i++) {
		free(call->words[i]);
		call->words[i] = NULL;
	}
}

/* True if path matches the pattern; then call->words has a word for each *. */
static int
routes_matches(struct call *call, const char *pattern, const char *path)
{
	size_t words = 0, length;
	char *word;
	int same = 1;

	routes_free_words(call);
	while (same && (word = routes_next_word(&path)) != NULL) {
		length = strcspn(++pattern, "/");
		if (length == 1 && *pattern == '*' && words < ROUTES_WORDS) {
			call->words[words++] = word;
		} else {
			same = strlen(word) == length &&
			    strncmp(word, pattern, length) == 0;
			free(word);
		}
		pattern += length;
		same = same && (*pattern != '\0') == (*path != '\0');
	}
	return same && *path == '\0' && *pattern == '\0';
}

/* A path that is for the other method. */
static void
routes_refuse_method(struct peer *peer, enum peer_right right)
{
	int reads = right == PEER_READ;

	evhttp_add_header(evhttp_request_get_output_headers(peer->request),
	    "Allow", reads ? "GET" : "POST");
	answer_result(peer, EX_PROTOCOL,
	    reads ? "expected GET: this path shows something, POST is for "
		    "changes" :
		    "expected POST: this path changes something, GET only "
		    "shows");
}

static void
routes_dispatch(struct call *call, const char *path)
{
	struct peer *peer = call->peer;
	const struct route *route = routes;
	enum peer_right right = PEER_CHANGE;

	if (evhttp_request_get_command(peer->request) == EVHTTP_REQ_GET)
		right = PEER_READ;
	while (route->pattern != NULL &&
	    !routes_matches(call, route->pattern, path))
		route++;
	if (route->pattern == NULL)
		answer_result(peer, EX_USAGE, "there is no such path");
	else if (route->right != right)
		routes_refuse_method(peer, route->right);
	else if (peer->right < right)
		answer_result(peer, EX_NOPERM,
		    "only root and the user who started brokerd may change "
		    "anything");
	else
		route->handle(call, route);
}

void
routes_handle(const struct control_context *context, struct peer *peer)
{
	const struct evhttp_uri *uri =
	    evhttp_request_get_evhttp_uri(peer->request);
	const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
	struct call call = {.context = context, .peer = peer};

	if (peer->right == PEER_NOTHING)
		answer_result(peer, EX_NOPERM,
		    "only root, the user who started brokerd and members of "
		    "control-group may ask");
	else
		routes_dispatch(&call, path == NULL ? "" : path);
	routes_free_words(&call);
}
