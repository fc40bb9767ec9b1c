/* SPDX-License-Identifier: ISC */
/*
 * The routes of the control socket.  Engine, unprivileged.
 */
#include "engine/control_route.h"

#include "engine/control_report.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

static void
route_status(struct control_call *call)
{
	control_answer(
	    call->peer, call->request, control_status(call->control));
}

static void
route_workers(struct control_call *call)
{
	control_answer(
	    call->peer, call->request, control_workers(call->control));
}

static void
route_metrics(struct control_call *call)
{
	control_answer_text(call, control_metrics(call->control));
}

static void
route_ask(struct control_call *call, enum control_ask what)
{
	const struct control_user *user = &call->control->user;

	call->peer->waiting = call->request;
	control_peer_wait(call->peer);
	if (user->ask(user->argument, what) == 0)
		return;
	control_say(call->peer, call->request,
	    errno == EBUSY ? EX_TEMPFAIL : EX_UNAVAILABLE, strerror(errno));
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

const struct control_route control_routes[] = {
    {CONTROL_READ, "/v1/status", route_status},
    {CONTROL_READ, "/v1/workers", route_workers},
    {CONTROL_READ, "/v1/metrics", route_metrics},
    {CONTROL_CHANGE, "/v1/reload", route_reload},
    {CONTROL_CHANGE, "/v1/upgrade", route_upgrade},
    {CONTROL_NOTHING, NULL, NULL},
};

void
control_on_result(struct control *control, int status, const char *text)
{
	struct control_peer *peer;

	TAILQ_FOREACH (peer, &control->peers, entry)
		if (peer->waiting != NULL)
			control_say(peer, peer->waiting, status, text);
}
