/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RUN_LOG_ROOM 65536
#define RUN_LOG_LONGEST 10240 /* of one line */

/* Appends whole lines to a file, many at a time, so that several processes can
 * write to one file. */
struct run_log {
	int fd; /* -1: none */
	size_t used;
	uint64_t count;
	char text[RUN_LOG_ROOM];
};

/* Opens path for appending, or exits with a message. */
void run_log_open(struct run_log *log, const char *path);

/* Adds "ID OUTCOME LATENCY BEGIN", with times in microseconds. */
void run_log_add_end(struct run_log *log, const char *id, const char *outcome,
    uint64_t latency_us, uint64_t begin_us);

/* Adds "ID REPLY", where other characters than printable ones are \n, \\ or
 * \xHH; or "ID" if the reply is empty. */
void run_log_add_reply(
    struct run_log *log, const char *id, const char *reply, size_t length);

/* Writes the rest and closes the file, or exits with a message. */
void run_log_close(struct run_log *log);
