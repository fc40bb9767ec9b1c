/* SPDX-License-Identifier: ISC */
/*
 * Answers that are long.  Engine, unprivileged.  Listeners and pools stay as
 * they are as long as an engine lives, so a report can go on where it was.
 */
#include "engine/control/writer.h"

#include <event2/event.h>
#include <stdlib.h>

struct writer {
	struct peer *peer;
	struct evhttp_request *request;
	const char *type;
	enum control_step (*step)(struct control_report *report);
	struct control_report report;
	struct event *next;
	char *text; /* of report.file */
	size_t size;
};

static void
writer_end(struct writer *writer, enum control_step last)
{
	struct peer *peer = writer->peer;
	struct evhttp_request *request = writer->request;
	const char *type = writer->type;
	char *text = NULL;

	if (fclose(writer->report.file) == 0 && last == CONTROL_DONE) {
		text = writer->text;
		writer->text = NULL;
	}
	writer->report.file = NULL;
	peer->writer = NULL;
	writer_free(writer);
	control_answer_text(peer, request, type, text);
}

static void
writer_on_next(evutil_socket_t fd, short what, void *argument)
{
	static const struct timeval soon = {0, 0};
	struct writer *writer = argument;
	enum control_step step = writer->step(&writer->report);

	(void)fd;
	(void)what;
	if (step == CONTROL_MORE)
		event_add(writer->next, &soon);
	else
		writer_end(writer, step);
}

void
writer_start(struct control_call *call, const char *type,
    enum control_step (*step)(struct control_report *report))
{
	const struct control *control = call->control;
	struct writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL) {
		control_answer_text(call->peer, call->request, type, NULL);
		return;
	}
	writer->peer = call->peer;
	writer->request = call->request;
	writer->type = type;
	writer->step = step;
	writer->report.control = control;
	writer->report.listener = TAILQ_FIRST(control->listeners);
	writer->report.pool = TAILQ_FIRST(control->pools);
	writer->report.file = open_memstream(&writer->text, &writer->size);
	writer->next = evtimer_new(control->core->base, writer_on_next, writer);
	if (writer->report.file == NULL || writer->next == NULL) {
		writer_free(writer);
		control_answer_text(call->peer, call->request, type, NULL);
		return;
	}
	call->peer->writer = writer;
	peer_wait(call->peer);
	writer_on_next(-1, 0, writer);
}

void
writer_free(struct writer *writer)
{
	if (writer == NULL)
		return;
	if (writer->report.file != NULL)
		fclose(writer->report.file);
	if (writer->next != NULL)
		event_free(writer->next);
	free(writer->report.sums);
	free(writer->text);
	free(writer);
}
