/* SPDX-License-Identifier: ISC */
/*
 * Answers of the control socket.  Engine, unprivileged.
 */
#include "engine/control/answer.h"

#include "engine/control/report.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <sysexits.h>

/* The last one is for everything else. */
static const struct {
	int status, code;
	const char *reason;
} answer_codes[] = {
    {EX_OK, 200, "OK"},
    {EX_USAGE, 404, "Not Found"},
    {EX_TEMPFAIL, 503, "Service Unavailable"},
    {EX_NOPERM, 403, "Forbidden"},
    {EX_CONFIG, 422, "Unprocessable Content"},
    {EX_UNAVAILABLE, 409, "Conflict"},
    {EX_PROTOCOL, 405, "Method Not Allowed"},
    {-1, 500, "Internal Server Error"},
};

/* Takes text; end follows it. */
static void
answer_send(struct peer *peer, int status, const char *type, char *text,
    const char *end)
{
	struct evkeyvalq *headers =
	    evhttp_request_get_output_headers(peer->request);
	struct evbuffer *body = evbuffer_new();
	const char *reason;
	size_t i = 0;

	if (text == NULL || body == NULL ||
	    evbuffer_add_printf(body, "%s%s", text, end) == -1)
		status = -1;
	while (answer_codes[i].status != status && answer_codes[i].status != -1)
		i++;
	reason = text == NULL ? "Out of Memory" : answer_codes[i].reason;
	free(text);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Connection", "close");
	peer_set_state(peer, PEER_ANSWERED);
	evhttp_send_reply(peer->request, answer_codes[i].code, reason, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void
answer_send_json(struct peer *peer, int status, json_t *json)
{
	answer_send(
	    peer, status, ANSWER_JSON, json_dumps(json, JSON_INDENT(1)), "\n");
	json_decref(json);
}

void
answer_text(struct peer *peer, const char *type, char *text)
{
	answer_send(peer, EX_OK, type, text, "");
}

void
answer_json(struct peer *peer, json_t *json)
{
	answer_send_json(peer, EX_OK, json);
}

void
answer_result(struct peer *peer, int status, const char *text)
{
	answer_send_json(peer, status,
	    json_pack(
		"{s:i, s:o}", "status", status, "text", report_text(text)));
}
