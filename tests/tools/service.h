/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_SERVICE_H
#define TOOLS_SERVICE_H

#include <sys/types.h>

#include <stdint.h>

/* How a worker answers. */
struct service {
	int reads_id;    /* answers "ID NONCE PID SEQ\n", else a greeting */
	int journal;     /* -1, or where "ID STEP PID SEQ\n" is appended */
	unsigned int us; /* time that a request with SLOW in it takes */
	int early;       /* receipt at once, if it is for the worker to send */
	int ready;       /* where to say that it is ready */
	pid_t pid;
	uint64_t sequence; /* of the requests it has read */
};

/* Reads the options of a worker, and exits with its usage and status 64 if one
 * word, called operand, does not follow.  Returns that word's index. */
int service_options(
    struct service *service, int argc, char **argv, const char *operand);

/* A process that was forked has a number and a sequence of its own. */
void service_begin(struct service *service);

/* Answers one connection (borrows), waiting for its request.  A descriptor
 * that does not block ends the program with status 3: no program of 2002
 * expects that. */
void service_answer(struct service *service, int fd);

#endif
