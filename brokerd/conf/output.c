/* SPDX-License-Identifier: ISC */
/*
 * The output of the config reader, the only thing that the monitor reads of
 * it.  Every record is zeroed as a whole before it is filled, so that padding
 * and the rest of an array carry nothing of this process's memory.
 */
#include "conf/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
output_init(struct output *out)
{
	memset(out, 0, sizeof(*out));
}

void
output_done(struct output *out)
{
	free(out->sockets);
	out->sockets = NULL;
	out->count = out->room = 0;
}

/* An error is never lost to warnings: they may fill half of the room. */
static void
output_note(
    struct output *out, uint32_t warning, unsigned int line, const char *text)
{
	struct record *record = &out->diagnostics[out->shown];
	size_t room = warning ? OUTPUT_DIAGNOSTICS / 2 : OUTPUT_DIAGNOSTICS;

	if (!warning)
		out->errors++;
	if (out->shown >= room) {
		out->hidden++;
		return;
	}
	record->type = RECORD_DIAGNOSTIC;
	record->line = line;
	record->u.diagnostic.warning = warning;
	for (size_t i = 0; text[i] != '\0' && i < RECORD_TEXT_SIZE - 1; i++)
		record->u.diagnostic.text[i] =
		    (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' :
								       text[i];
	out->shown++;
}

void
output_error(struct output *out, unsigned int line, const char *format, ...)
{
	char text[RECORD_TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	output_note(out, 0, line, text);
}

void
output_why(struct output *out, unsigned int line, const char *subject,
    const struct reason *why)
{
	if (why->text[0] == '\0')
		out->failed = 1;
	else
		output_error(out, line, "%s: %s", subject, why->text);
}

void
output_warning(struct output *out, unsigned int line, const char *format, ...)
{
	char text[RECORD_TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	output_note(out, 1, line, text);
}

struct record *
output_add(struct output *out, enum record_type type)
{
	struct record *record;

	if (type == RECORD_ENDPOINT && out->count == OUTPUT_ENDPOINTS)
		return NULL;
	if (out->count == out->room) {
		size_t room = out->room == 0 ? 16 : out->room * 2;

		record = reallocarray(out->sockets, room, sizeof(*record));
		if (record == NULL) {
			out->failed = 1;
			return NULL;
		}
		out->sockets = record;
		out->room = room;
	}
	record = &out->sockets[out->count++];
	memset(record, 0, sizeof(*record));
	record->type = type;
	return record;
}

static int
output_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* By insertion, which keeps the order within a line. */
static void
output_sort(struct output *out)
{
	struct record moved;

	for (size_t i = 1; i < out->shown; i++) {
		size_t to = i;

		memcpy(&moved, &out->diagnostics[i], sizeof(moved));
		for (; to > 0 && out->diagnostics[to - 1].line > moved.line;
		     to--)
			memcpy(&out->diagnostics[to], &out->diagnostics[to - 1],
			    sizeof(moved));
		memcpy(&out->diagnostics[to], &moved, sizeof(moved));
	}
}

static void
output_tell_hidden(struct output *out)
{
	struct record_diagnostic *last =
	    &out->diagnostics[OUTPUT_DIAGNOSTICS - 1].u.diagnostic;

	if (out->hidden == 0 || out->shown < OUTPUT_DIAGNOSTICS)
		return;
	memset(last->text, 0, sizeof(last->text));
	snprintf(last->text, sizeof(last->text),
	    "%zu more errors and warnings, here and elsewhere",
	    out->hidden + 1);
}

void
output_say(struct output *out, const char *file, struct log *log)
{
	output_sort(out);
	output_tell_hidden(out);
	for (size_t i = 0; i < out->shown; i++) {
		const struct record *record = &out->diagnostics[i];
		const struct record_diagnostic *d = &record->u.diagnostic;
		char line[16] = "";

		if (record->line != 0)
			snprintf(line, sizeof(line), ":%u", record->line);
		log_line(log, d->warning ? LOG_WARNING : LOG_ERR, "%s%s: %s%s",
		    file, line, d->warning ? "warning: " : "", d->text);
	}
}

int
output_write(struct output *out, int fd)
{
	struct record header, settings;

	memset(&header, 0, sizeof(header));
	header.type = RECORD_HEADER;
	header.u.header.magic = RECORD_MAGIC;
	header.u.header.version = RECORD_VERSION;
	header.u.header.size = sizeof(struct record);
	memset(&settings, 0, sizeof(settings));
	settings.type = RECORD_SETTINGS;
	settings.u.settings = out->settings;
	if (output_write_all(fd, &header, sizeof(header)) == -1 ||
	    output_write_all(fd, out->diagnostics,
		out->shown * sizeof(out->diagnostics[0])) == -1)
		return -1;
	if (out->errors > 0)
		return 0;
	if (output_write_all(fd, &settings, sizeof(settings)) == -1)
		return -1;
	return output_write_all(
	    fd, out->sockets, out->count * sizeof(out->sockets[0]));
}
