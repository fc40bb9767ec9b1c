/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_LINES_H
#define TOOLS_LINES_H

#include <stddef.h>
#include <stdint.h>

#define LINES_ROOM 65536
#define LINES_LONGEST 10240 /* of one line */

/* Lines appended to a file, many at a time but each of them whole, so that
 * several processes can write to one file. */
struct lines {
	int fd; /* -1: nowhere */
	size_t used;
	uint64_t count;
	char text[LINES_ROOM];
};

/* Opens path for appending, or exits with a message. */
void lines_open(struct lines *lines, const char *path);

/* "ID OUTCOME LATENCY BEGIN", times in microseconds. */
void lines_add_end(struct lines *lines, const char *id, const char *outcome,
    uint64_t latency_us, uint64_t begin_us);

/* "ID ANSWER" with what cannot be printed as \n, \\ or \xHH; "ID" alone if
 * there was none. */
void lines_add_answer(
    struct lines *lines, const char *id, const char *answer, size_t length);

/* Writes what is left and closes; exits with a message if it cannot. */
void lines_close(struct lines *lines);

#endif
