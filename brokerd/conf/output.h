/* SPDX-License-Identifier: ISC */
#ifndef CONF_OUTPUT_H
#define CONF_OUTPUT_H

#include "base/log.h"
#include "conf/text/reason.h"
#include "record/record.h"

#include <stddef.h>

/*
 * What the config reader will write: sockets, and what is to be said about the
 * configuration.
 */

#define OUTPUT_DIAGNOSTICS 20
/* Endpoints of one configuration: the rest of RECORD_MAX is for the header,
 * the settings, rendezvous, control and diagnostics. */
#define OUTPUT_ENDPOINTS (RECORD_MAX - 4 - OUTPUT_DIAGNOSTICS)

struct output {
	struct record_settings settings;
	uint32_t orphan_timeout_s;
	struct record *sockets; /* endpoints, then the broker's own */
	size_t count;
	size_t room;
	struct record diagnostics[OUTPUT_DIAGNOSTICS];
	size_t shown;  /* of the diagnostics */
	size_t hidden; /* diagnostics that found no room */
	size_t errors;
	int failed; /* the system failed: no memory */
};

void output_init(struct output *out);

void output_done(struct output *out);

/* Notes an error of the configuration in that line; 0: in no line. */
void output_error(struct output *out, unsigned int line, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Notes "subject: why" as an error, or that the system failed. */
void output_why(struct output *out, unsigned int line, const char *subject,
    const struct reason *why);

/* Notes what is suspicious but usable. */
void output_warning(struct output *out, unsigned int line, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* The next record of a socket, all zero but its type, owned by out and valid
 * until the next call; NULL when there is no memory (failed is set) or there
 * are OUTPUT_ENDPOINTS endpoints. */
struct record *output_add(struct output *out, enum record_type type);

/* Says the diagnostics on log, sorted by line, as file:line: text, or
 * file: text when it is about no line. */
void output_say(struct output *out, const char *file, struct log *log);

/* Writes all records to fd (borrows it): the diagnostics, and unless there is
 * an error the settings and sockets.  0, or -1 with errno. */
int output_write(struct output *out, int fd);

#endif
