/* SPDX-License-Identifier: ISC */
/*
 * The load generator's files: a journal of how each connection ended, and the
 * replies.  Each write(2) ends with the end of a line.
 */
#include "run_log.h"

#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void
run_log_open(struct run_log *log, const char *path)
{
	log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (log->fd == -1)
		err(71, "%s", path);
}

static void
run_log_flush(struct run_log *log)
{
	if (log->used > 0 &&
	    write(log->fd, log->text, log->used) != (ssize_t)log->used)
		err(71, "a journal cannot be written");
	log->used = 0;
}

static void __attribute__((format(printf, 2, 3)))
run_log_print(struct run_log *log, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log->used += (size_t)vsnprintf(
	    log->text + log->used, RUN_LOG_ROOM - log->used, format, arguments);
	va_end(arguments);
}

static void
run_log_begin(struct run_log *log)
{
	if (RUN_LOG_ROOM - log->used < RUN_LOG_LONGEST)
		run_log_flush(log);
	log->count++;
}

void
run_log_add_end(struct run_log *log, const char *id, const char *outcome,
    uint64_t latency_us, uint64_t begin_us)
{
	run_log_begin(log);
	run_log_print(log, "%.16s %s %llu %llu\n", id, outcome,
	    (unsigned long long)latency_us, (unsigned long long)begin_us);
}

void
run_log_add_reply(
    struct run_log *log, const char *id, const char *reply, size_t length)
{
	run_log_begin(log);
	run_log_print(log, "%.16s%s", id, length > 0 ? " " : "");
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)reply[i];

		if (c == '\n')
			run_log_print(log, "\\n");
		else if (c == '\\')
			run_log_print(log, "\\\\");
		else if (c < 0x20 || c > 0x7e)
			run_log_print(log, "\\x%02x", c);
		else
			log->text[log->used++] = (char)c;
	}
	run_log_print(log, "\n");
}

void
run_log_close(struct run_log *log)
{
	run_log_flush(log);
	if (close(log->fd) == -1)
		err(71, "a journal cannot be written");
	log->fd = -1;
}
