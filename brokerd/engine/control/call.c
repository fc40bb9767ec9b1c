/* SPDX-License-Identifier: ISC */
/*
 * Requests at the control socket: who may, which route, and how it is
 * answered.  Engine, unprivileged.  GET asks, POST changes.
 */
#include "engine/control/call.h"

#include "engine/control/report.h"
#include "engine/control/routes.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define CONTROL_NOT_FOUND EX_USAGE

static const struct {
	int status;
	int code;
	const char *reason;
} control_codes[] = {
    {EX_OK, 200, "OK"},
    {EX_USAGE, 404, "Not Found"},
    {EX_TEMPFAIL, 503, "Service Unavailable"},
    {EX_NOPERM, 403, "Forbidden"},
    {EX_CONFIG, 422, "Unprocessable Content"},
    {EX_UNAVAILABLE, 409, "Conflict"},
    {EX_PROTOCOL, 405, "Method Not Allowed"},
};

static void
call_send(struct peer *peer, struct evhttp_request *request, int status,
    const char *type, char *text)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();
	const char *reason = "Internal Server Error";
	int code = 500;

	for (size_t i = 0; i < sizeof(control_codes) / sizeof(control_codes[0]);
	     i++)
		if (control_codes[i].status == status) {
			code = control_codes[i].code;
			reason = control_codes[i].reason;
		}
	if (body == NULL || text == NULL) {
		code = 500;
		reason = "Out of Memory";
	} else {
		evbuffer_add(body, text, strlen(text));
	}
	free(text);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Connection", "close");
	peer->answered = 1;
	peer->waiting = NULL;
	peer_allow(peer, PEER_S);
	evhttp_send_reply(request, code, reason, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void
call_send_json(
    struct peer *peer, struct evhttp_request *request, int status, json_t *json)
{
	char *text = NULL, *line;
	size_t length;

	if (json != NULL)
		text = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	length = text == NULL ? 0 : strlen(text);
	line = text == NULL ? NULL : realloc(text, length + 2);
	if (line == NULL)
		free(text);
	else
		memcpy(line + length, "\n", 2);
	call_send(peer, request, status, "application/json", line);
}

void
control_answer(struct peer *peer, struct evhttp_request *request, json_t *json)
{
	call_send_json(peer, request, EX_OK, json);
}

void
control_say(struct peer *peer, struct evhttp_request *request, int status,
    const char *text)
{
	call_send_json(peer, request, status,
	    json_pack(
		"{s:i, s:o}", "status", status, "text", control_text(text)));
}

void
control_answer_text(struct peer *peer, struct evhttp_request *request,
    const char *type, char *text)
{
	call_send(peer, request, EX_OK, type, text);
}

struct listener *
control_call_listener(struct control_call *call)
{
	struct listener *listener =
	    listener_find(call->control->listeners, call->words[0]);

	if (listener == NULL)
		control_say(call->peer, call->request, CONTROL_NOT_FOUND,
		    "there is no such listener");
	return listener;
}

/* Splits off what is between two slashes, decoded; NULL at the end, or if
 * there is no memory. */
static char *
call_next(const char **path)
{
	size_t length;
	char *part, *decoded;

	if (**path != '/')
		return NULL;
	(*path)++;
	length = strcspn(*path, "/");
	part = strndup(*path, length);
	*path += length;
	decoded = part == NULL ? NULL : evhttp_uridecode(part, 0, NULL);
	free(part);
	return decoded;
}

/* True if path is like the pattern, in which * is any word. */
static int
call_matches(struct control_call *call, const char *pattern, const char *path)
{
	size_t words = 0, length;
	char *part;
	int same = 1;

	while (same && (part = call_next(&path)) != NULL) {
		length = strcspn(++pattern, "/");
		if (length == 1 && *pattern == '*' && words < CONTROL_WORDS) {
			free(call->words[words]);
			call->words[words++] = part;
		} else {
			same = strlen(part) == length &&
			    strncmp(part, pattern, length) == 0;
			free(part);
		}
		pattern += length;
		same = same && (*pattern != '\0') == (*path != '\0');
	}
	return same && *path == '\0' && *pattern == '\0';
}

/* Each path is for one method, the other is a mistake. */
static void
call_refuse_method(struct control_call *call, enum control_right right)
{
	int asks = right == CONTROL_READ;

	evhttp_add_header(evhttp_request_get_output_headers(call->request),
	    "Allow", asks ? "GET" : "POST");
	control_say(call->peer, call->request, EX_PROTOCOL,
	    asks ? "expected GET: this is asked, POST changes something" :
		   "expected POST: this changes something, GET asks");
}

static void
call_dispatch(struct control_call *call, const char *path)
{
	const struct control_route *route = control_routes;
	enum control_right right = CONTROL_CHANGE;

	if (evhttp_request_get_command(call->request) == EVHTTP_REQ_GET)
		right = CONTROL_READ;
	while (
	    route->pattern != NULL && !call_matches(call, route->pattern, path))
		route++;
	if (route->pattern == NULL)
		control_say(call->peer, call->request, CONTROL_NOT_FOUND,
		    "nothing is there to be asked or done");
	else if (route->right != right)
		call_refuse_method(call, route->right);
	else if (call->peer->right < right)
		control_say(call->peer, call->request, EX_NOPERM,
		    "only root and who started brokerd may change anything");
	else
		route->handle(call);
}

void
control_call(struct peer *peer, struct evhttp_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
	struct control_call call = {
	    .control = peer->control, .peer = peer, .request = request};

	if (peer->right == CONTROL_NOTHING)
		control_say(peer, request, EX_NOPERM,
		    "only root, who started brokerd and members of "
		    "control-group may ask");
	else
		call_dispatch(&call, path == NULL ? "" : path);
	for (size_t i = 0; i < CONTROL_WORDS; i++)
		free(call.words[i]);
}
