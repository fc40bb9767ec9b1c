/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stdint.h>

/* The options of a worker's service. */
struct service {
	int reads_id;    /* answer "ID NONCE PID SEQ\n", not a greeting */
	int journal;     /* descriptor for "ID STEP PID SEQ\n", or -1 */
	unsigned int us; /* duration of a request with SLOW in it */
	int early;       /* send the receipt before the answer */
	int ready;       /* descriptor to report readiness on */
	pid_t pid;
	uint64_t sequence; /* number of requests read */
};

/* Reads the options of a worker and returns the index of its only operand.
 * Prints the usage and exits with 64 if the command line is wrong. */
int service_options(
    struct service *service, int argc, char **argv, const char *operand);

/* Starts a sequence for this process, also after fork(2). */
void service_begin(struct service *service);

/* Waits for the request of a connection and answers it.  Borrows fd.  Exits
 * with 3 if fd is non-blocking, because programs of 2002 do not expect this. */
void service_answer(struct service *service, int fd);
