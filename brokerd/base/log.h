/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>
#include <syslog.h>

#define LOG_LINE_MAX 1024

/* Each process has one, in its main structure. */
struct log {
	const char *role; /* first word of every line */
	int fd;           /* borrowed */
	int prefix;       /* lines begin with <N>, see sd-daemon(3) */
	uint64_t lost;    /* lines, since the last one that was written */
	int copy;         /* a file that texts are appended to, or -1
			   * (borrowed) */
};

/* Starts a log on fd (borrows it while log is used).  Lines get <N> prefixes
 * if JOURNAL_STREAM names the file that fd is. */
void log_init(struct log *log, const char *role, int fd);

/* Writes "role: text" as one line of at most LOG_LINE_MAX bytes, with '?' for
 * control characters; priority is one of syslog(3).  Never blocks: a line that
 * cannot be written now is lost, and the next one that can be written ends
 * with the number of those that were lost. */
void log_line(struct log *log, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
