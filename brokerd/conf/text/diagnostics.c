/* SPDX-License-Identifier: ISC */
/*
 * The errors and warnings of the config reader.
 */
#include "conf/text/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
diagnostics_done(struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->file_count; i++)
		free(diagnostics->files[i]);
	free(diagnostics->items);
	diagnostics->items = NULL;
	diagnostics->file_count = diagnostics->count = diagnostics->room = 0;
}

int
diagnostics_add_file(struct diagnostics *diagnostics, const char *name)
{
	char *copy;

	if (diagnostics->file_count == DIAGNOSTICS_FILES)
		return -1;
	copy = strdup(name);
	if (copy == NULL) {
		diagnostics->failed = 1;
		return -1;
	}
	diagnostics->files[diagnostics->file_count] = copy;
	return (int)diagnostics->file_count++;
}

/* The next item, or NULL if there is no memory. */
static struct diagnostic *
diagnostics_grow(struct diagnostics *diagnostics)
{
	size_t room = diagnostics->room == 0 ? 16 : diagnostics->room * 2;
	struct diagnostic *items = diagnostics->items;

	if (diagnostics->count == diagnostics->room) {
		items = reallocarray(items, room, sizeof(*items));
		if (items == NULL) {
			diagnostics->failed = 1;
			return NULL;
		}
		diagnostics->items = items;
		diagnostics->room = room;
	}
	return &items[diagnostics->count];
}

/* Warnings are few, so that an error is not lost to them, here or in a pipe
 * that is read slowly. */
static void __attribute__((format(printf, 4, 0)))
diagnostics_add(struct diagnostics *diagnostics, struct location at,
    int warning, const char *format, va_list ap)
{
	struct diagnostic *item;

	if (!warning)
		diagnostics->errors++;
	if (diagnostics->count >=
	    (warning ? DIAGNOSTICS_WARNINGS : DIAGNOSTICS_MAX)) {
		diagnostics->hidden++;
		return;
	}
	item = diagnostics_grow(diagnostics);
	if (item == NULL)
		return;
	item->at = at;
	item->order = diagnostics->count++;
	item->warning = warning;
	vsnprintf(item->text, sizeof(item->text), format, ap);
}

void
diagnostics_error(struct diagnostics *diagnostics, struct location at,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diagnostics_add(diagnostics, at, 0, format, ap);
	va_end(ap);
}

void
diagnostics_passing(struct diagnostics *diagnostics, struct location at,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diagnostics_add(diagnostics, at, 0, format, ap);
	va_end(ap);
	diagnostics->passing++;
}

void
diagnostics_reason(struct diagnostics *diagnostics, struct location at,
    const char *subject, const struct reason *reason)
{
	if (reason->text[0] == '\0')
		diagnostics->failed = 1;
	else if (reason->kind == REASON_PASSING)
		diagnostics_passing(
		    diagnostics, at, "%s: %s", subject, reason->text);
	else
		diagnostics_error(
		    diagnostics, at, "%s: %s", subject, reason->text);
}

void
diagnostics_warning(struct diagnostics *diagnostics, struct location at,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diagnostics_add(diagnostics, at, 1, format, ap);
	va_end(ap);
}

struct location_text
diagnostics_locate(const struct diagnostics *diagnostics, struct location at,
    struct location from)
{
	struct location_text where;

	if (at.file == from.file)
		snprintf(where.text, sizeof(where.text), "line %u", at.line);
	else
		snprintf(where.text, sizeof(where.text), "%.160s:%u",
		    diagnostics->files[at.file], at.line);
	return where;
}

/* For qsort(3): keeps the order within a line. */
static int
diagnostics_compare(const void *a, const void *b)
{
	const struct diagnostic *da = a, *db = b;

	if (da->at.file != db->at.file)
		return da->at.file < db->at.file ? -1 : 1;
	if (da->at.line != db->at.line)
		return da->at.line < db->at.line ? -1 : 1;
	return da->order < db->order ? -1 : 1;
}

void
diagnostics_write(struct diagnostics *diagnostics, struct log *log)
{
	if (diagnostics->count > 0)
		qsort(diagnostics->items, diagnostics->count,
		    sizeof(*diagnostics->items), diagnostics_compare);
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];
		char line[16] = "";

		if (item->at.line != 0)
			snprintf(line, sizeof(line), ":%u", item->at.line);
		log_line(log, item->warning ? LOG_WARNING : LOG_ERR,
		    "%s%s: %s%s", diagnostics->files[item->at.file], line,
		    item->warning ? "warning: " : "", item->text);
	}
	if (diagnostics->hidden > 0)
		log_line(log, LOG_WARNING, "%zu more errors and warnings",
		    diagnostics->hidden);
}
