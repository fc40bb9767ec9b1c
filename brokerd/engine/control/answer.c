/* SPDX-License-Identifier: ISC */
/*
 * Answers of the control socket.  Engine, unprivileged.
 */
#include "engine/control/answer.h"

#include "engine/control/report.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct answer_code {
	int status;
	int code;
	const char *reason;
};

/* The last one is for everything else. */
static const struct answer_code answer_codes[] = {
    {EX_OK, 200, "OK"},
    {EX_USAGE, 404, "Not Found"},
    {EX_TEMPFAIL, 503, "Service Unavailable"},
    {EX_NOPERM, 403, "Forbidden"},
    {EX_CONFIG, 422, "Unprocessable Content"},
    {EX_UNAVAILABLE, 409, "Conflict"},
    {EX_PROTOCOL, 405, "Method Not Allowed"},
    {-1, 500, "Internal Server Error"},
};

static void
answer_send(struct peer *peer, int status, const char *type, char *text)
{
	struct evkeyvalq *headers =
	    evhttp_request_get_output_headers(peer->request);
	const struct answer_code *code = answer_codes;
	struct evbuffer *body = evbuffer_new();
	const char *reason;

	if (body == NULL || text == NULL)
		status = EX_OSERR;
	else
		evbuffer_add(body, text, strlen(text));
	while (code->status != status && code->status != -1)
		code++;
	reason = text == NULL ? "Out of Memory" : code->reason;
	free(text);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Connection", "close");
	peer_set_state(peer, PEER_ANSWERED);
	evhttp_send_reply(peer->request, code->code, reason, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void
answer_send_json(struct peer *peer, int status, json_t *json)
{
	char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1));
	size_t length = text == NULL ? 0 : strlen(text);
	char *line = text == NULL ? NULL : realloc(text, length + 2);

	json_decref(json);
	if (line == NULL)
		free(text);
	else
		memcpy(line + length, "\n", 2);
	answer_send(peer, status, ANSWER_JSON, line);
}

void
answer_text(struct peer *peer, const char *type, char *text)
{
	answer_send(peer, EX_OK, type, text);
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

void
answer_wrong_method(struct peer *peer, enum peer_right right)
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
