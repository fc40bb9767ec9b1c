/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_RUN_LOG_H
#define TOOLS_RUN_LOG_H

#include <stddef.h>
#include <stdint.h>

#define RUN_LOG_ROOM 65536
#define RUN_LOG_LONGEST 10240 /* of one line */

/* Lines appended to a file, many at a time but each of them whole, so that
 * several processes can write to one file. */
struct run_log {
	int fd; /* -1: nowhere */
	size_t used;
	uint64_t count;
	char text[RUN_LOG_ROOM];
};

/* Opens path for appending, or exits with a message. */
void run_log_open(struct run_log *log, const char *path);

/* "ID OUTCOME LATENCY BEGIN", times in microseconds. */
void run_log_add_end(struct run_log *log, const char *id, const char *outcome,
    uint64_t latency_us, uint64_t begin_us);

/* "ID ANSWER" with what cannot be printed as \n, \\ or \xHH; "ID" alone if
 * there was none. */
void run_log_add_answer(
    struct run_log *log, const char *id, const char *answer, size_t length);

/* Writes what is left and closes; exits with a message if it cannot. */
void run_log_close(struct run_log *log);

#endif
