/* SPDX-License-Identifier: ISC */
/*
 * The routes of the control socket.  Engine, unprivileged.
 */
#include "engine/control/routes.h"

#include "engine/control/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void
route_status(struct control_call *call)
{
	writer_start(call, "application/json", control_status_step);
}

static void
route_workers(struct control_call *call)
{
	writer_start(call, "application/json", control_workers_step);
}

static void
route_metrics(struct control_call *call)
{
	writer_start(call, "text/plain; version=0.0.4; charset=utf-8",
	    control_metrics_step);
}

static void
route_ask(struct control_call *call, enum control_ask what)
{
	const struct control_user *user = &call->control->user;
	const struct peer *other;

	TAILQ_FOREACH (other, &call->control->peers, entry)
		if (other->waiting != NULL) {
			control_say(call->peer, call->request, EX_TEMPFAIL,
			    "somebody else's reload or upgrade is under way");
			return;
		}
	call->peer->waiting = call->request;
	peer_wait(call->peer);
	if (user->ask(user->argument, what) == 0)
		return;
	control_say(call->peer, call->request, EX_UNAVAILABLE,
	    "brokerd itself has died, only its engine serves: start it "
	    "again");
}

static void
route_reload(struct control_call *call)
{
	route_ask(call, CONTROL_RELOAD);
}

static void
route_upgrade(struct control_call *call)
{
	route_ask(call, CONTROL_UPGRADE);
}

static void
route_explain(struct control_call *call)
{
	const struct listener *listener = control_call_listener(call);

	if (listener != NULL)
		control_answer(
		    call->peer, call->request, control_explain(listener));
}

static void
route_whois(struct control_call *call)
{
	const char *word = call->words[0];
	json_t *json;

	if (*word == '\0' || word[strspn(word, "0123456789")] != '\0') {
		control_say(call->peer, call->request, EX_USAGE,
		    "expected the inode number of a socket, as ss -e and "
		    "/proc/PID/fd show it");
		return;
	}
	json = control_whois(call->control, strtoull(word, NULL, 10));
	if (json != NULL)
		control_answer(call->peer, call->request, json);
	else
		control_say(call->peer, call->request, EX_USAGE,
		    "no socket of the engine has this number: what a worker "
		    "has confirmed is the worker's alone");
}

/* The log knows who had it done. */
static void
route_done(struct control_call *call, const char *text)
{
	const char *worker = call->words[1];

	log_line(&call->control->core->log, LOG_NOTICE,
	    "listener %s%s%s: %s (asked by uid %u)", call->words[0],
	    worker == NULL ? "" : ": worker ", worker == NULL ? "" : worker,
	    text, call->peer->uid);
	control_say(call->peer, call->request, EX_OK, text);
}

static void
route_pause(struct control_call *call, int paused)
{
	struct listener *listener = control_call_listener(call);

	if (listener == NULL)
		return;
	if (listener_set_paused(listener, paused) == 0)
		route_done(call,
		    paused ? "paused: connections wait" :
			     "resumed: accepting again");
	else if (listener_is_lent(listener))
		control_say(call->peer, call->request, EX_UNAVAILABLE,
		    "its sockets are lent: its workers accept, and may pause");
	else
		control_say(
		    call->peer, call->request, EX_OSERR, strerror(errno));
}

static void
route_pause_listener(struct control_call *call)
{
	route_pause(call, 1);
}

static void
route_resume_listener(struct control_call *call)
{
	route_pause(call, 0);
}

static void
route_drain(struct control_call *call)
{
	struct listener *listener = control_call_listener(call);

	if (listener == NULL)
		return;
	if (pool_drain(listener->pool, call->words[1]) == 0)
		route_done(call,
		    "draining: it gets no more, and finishes what it has");
	else
		control_say(call->peer, call->request, EX_USAGE,
		    "the listener has no such worker");
}

const struct control_route control_routes[] = {
    {CONTROL_READ, "/v1/status", route_status},
    {CONTROL_READ, "/v1/workers", route_workers},
    {CONTROL_READ, "/v1/metrics", route_metrics},
    {CONTROL_READ, "/v1/listeners/*", route_explain},
    {CONTROL_READ, "/v1/sockets/*", route_whois},
    {CONTROL_CHANGE, "/v1/listeners/*/pause", route_pause_listener},
    {CONTROL_CHANGE, "/v1/listeners/*/resume", route_resume_listener},
    {CONTROL_CHANGE, "/v1/listeners/*/workers/*/drain", route_drain},
    {CONTROL_CHANGE, "/v1/reload", route_reload},
    {CONTROL_CHANGE, "/v1/upgrade", route_upgrade},
    {CONTROL_NOTHING, NULL, NULL},
};

/* One waits at most, see route_ask(). */
void
control_on_result(struct control *control, int status, const char *text)
{
	struct peer *peer;

	if (control->http == NULL)
		return;
	TAILQ_FOREACH (peer, &control->peers, entry)
		if (peer->waiting != NULL) {
			control_say(peer, peer->waiting, status, text);
			return;
		}
}
