/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>
#include <syslog.h>

#define LOG_LINE_MAX 1024

/* One per process, owned by its main structure. */
struct log {
	const char *role; /* first word of every line */
	int fd;           /* borrowed */
	int prefix;       /* lines begin with <N>, see sd-daemon(3) */
	uint64_t lost;    /* lines that could not be written, since the last
			   * one that could */
	char *said; /* LOG_LINE_MAX bytes to which texts are added; or NULL */
};

/* Starts a log on fd (borrows it for the life of log).  Lines get <N>
 * prefixes if JOURNAL_STREAM names this very descriptor. */
void log_init(struct log *log, const char *role, int fd);

/* Writes "role: text" as one line, at most LOG_LINE_MAX bytes, control
 * characters as '?'.  priority as in syslog(3).  Never blocks: a line that
 * cannot be written now is counted, and the next one that can ends with how
 * many were lost. */
void log_line(struct log *log, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
