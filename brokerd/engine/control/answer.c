/* SPDX-License-Identifier: ISC */
/*
 * Answers of the control socket.  Engine, unprivileged.
 */
#include "engine/control/answer.h"

#include "base/clock.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
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
	char length[24];
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
	/* evhttp does not send it for HTTP 1.0, and the connection may end
	 * before the whole answer has been sent. */
	snprintf(length, sizeof(length), "%zu",
	    body == NULL ? 0 : evbuffer_get_length(body));
	evhttp_add_header(headers, "Content-Length", length);
	peer_set_state(peer, PEER_ANSWERED);
	evhttp_send_reply(peer->request, answer_codes[i].code, reason, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void
answer_send_json(struct peer *peer, int status, json_t *json)
{
	answer_send(peer, status, ANSWER_JSON,
	    json_dumps(json, JSON_INDENT(1) | JSON_ENSURE_ASCII), "\n");
	json_decref(json);
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

/* Frees the report and answers, with its text if that is complete. */
static void
answer_end_report(struct report *report, enum report_step last)
{
	struct peer *peer = report->peer;
	const char *type = report->type;
	char *text = NULL;

	if (report->file != NULL && fclose(report->file) == 0 &&
	    last == REPORT_DONE) {
		text = report->text;
		report->text = NULL;
	}
	report->file = NULL;
	peer->report = NULL;
	report_free(report);
	answer_send(peer, EX_OK, type, text, "");
}

static void
answer_on_next(void *owner)
{
	struct report *report = owner;
	struct effort *effort = report->peer->right == PEER_CHANGE ?
	    NULL :
	    &report->peer->list->effort;
	uint64_t begun_us = clock_us();
	enum report_step last = report->step(report);

	if (last == REPORT_MORE)
		timer_set(&report->next, 0);
	else
		answer_end_report(report, last);
	if (effort != NULL)
		effort_add(effort, begun_us, clock_us());
}

void
answer_report(struct peer *peer, const struct control_context *context,
    const char *type, enum report_step (*step)(struct report *report))
{
	struct report *report = calloc(1, sizeof(*report));

	if (report == NULL) {
		answer_send(peer, EX_OK, type, NULL, "");
		return;
	}
	peer->report = report;
	*report = (struct report){.context = context,
	    .peer = peer,
	    .type = type,
	    .step = step,
	    .listener = TAILQ_FIRST(context->listeners),
	    .pool = TAILQ_FIRST(context->pools)};
	report->file = open_memstream(&report->text, &report->size);
	if (report->file == NULL ||
	    timer_init(&report->next, context->base, answer_on_next, report) ==
		-1) {
		answer_end_report(report, REPORT_FAILED);
		return;
	}
	peer_set_state(peer, PEER_WRITING);
	answer_on_next(report);
}
