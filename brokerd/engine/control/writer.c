/* SPDX-License-Identifier: ISC */
/*
 * Answers that are long: a report is written step by step and sent when it is
 * complete.  Engine, unprivileged.
 */
#include "engine/control/writer.h"

#include "engine/control/answer.h"

#include <stdlib.h>

struct writer {
	struct peer *peer;
	const char *type;
	enum report_step (*step)(struct report *report);
	struct report report;
	struct timer next;
	char *text; /* of report.file */
	size_t size;
};

/* Frees the writer and answers, with its text if that is complete. */
static void
writer_end(struct writer *writer, enum report_step last)
{
	struct peer *peer = writer->peer;
	const char *type = writer->type;
	char *text = NULL;

	if (writer->report.file != NULL && fclose(writer->report.file) == 0 &&
	    last == REPORT_DONE) {
		text = writer->text;
		writer->text = NULL;
	}
	writer->report.file = NULL;
	peer->writer = NULL;
	writer_free(writer);
	answer_text(peer, type, text);
}

static void
writer_on_next(void *owner)
{
	struct writer *writer = owner;
	enum report_step last = writer->step(&writer->report);

	if (last == REPORT_MORE)
		timer_set(&writer->next, 0);
	else
		writer_end(writer, last);
}

void
writer_start(struct peer *peer, const struct control_context *context,
    const char *type, enum report_step (*step)(struct report *report))
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL) {
		answer_text(peer, type, NULL);
		return;
	}
	peer->writer = writer;
	writer->peer = peer;
	writer->type = type;
	writer->step = step;
	writer->report = (struct report){.context = context,
	    .listener = TAILQ_FIRST(context->listeners),
	    .pool = TAILQ_FIRST(context->pools),
	    .file = open_memstream(&writer->text, &writer->size)};
	if (writer->report.file == NULL ||
	    timer_init(&writer->next, context->base, writer_on_next, writer) ==
		-1) {
		writer_end(writer, REPORT_FAILED);
		return;
	}
	peer_set_state(peer, PEER_WRITING);
	writer_on_next(writer);
}

void
writer_free(struct writer *writer)
{
	if (writer == NULL)
		return;
	if (writer->report.file != NULL)
		fclose(writer->report.file);
	free(writer->report.sums);
	timer_done(&writer->next);
	free(writer->text);
	free(writer);
}
