/* SPDX-License-Identifier: ISC */
/*
 * The load generator's files: a journal of how each connection ended, and the
 * answers.  A write(2) always ends with a line's end.
 */
#include "lines.h"

#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void
lines_open(struct lines *lines, const char *path)
{
	lines->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (lines->fd == -1)
		err(71, "%s", path);
}

static void
lines_flush(struct lines *lines)
{
	if (lines->used > 0 &&
	    write(lines->fd, lines->text, lines->used) != (ssize_t)lines->used)
		err(71, "a journal cannot be written");
	lines->used = 0;
}

static void __attribute__((format(printf, 2, 3)))
lines_print(struct lines *lines, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lines->used += (size_t)vsnprintf(lines->text + lines->used,
	    LINES_ROOM - lines->used, format, arguments);
	va_end(arguments);
}

static void
lines_begin(struct lines *lines)
{
	if (LINES_ROOM - lines->used < LINES_LONGEST)
		lines_flush(lines);
	lines->count++;
}

void
lines_add_end(struct lines *lines, const char *id, const char *outcome,
    uint64_t latency_us, uint64_t begin_us)
{
	lines_begin(lines);
	lines_print(lines, "%.16s %s %llu %llu\n", id, outcome,
	    (unsigned long long)latency_us, (unsigned long long)begin_us);
}

void
lines_add_answer(
    struct lines *lines, const char *id, const char *answer, size_t length)
{
	lines_begin(lines);
	lines_print(lines, "%.16s%s", id, length > 0 ? " " : "");
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)answer[i];

		if (c == '\n')
			lines_print(lines, "\\n");
		else if (c == '\\')
			lines_print(lines, "\\\\");
		else if (c < 0x20 || c > 0x7e)
			lines_print(lines, "\\x%02x", c);
		else
			lines->text[lines->used++] = (char)c;
	}
	lines_print(lines, "\n");
}

void
lines_close(struct lines *lines)
{
	lines_flush(lines);
	if (close(lines->fd) == -1)
		err(71, "a journal cannot be written");
	lines->fd = -1;
}
