/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_TALLY_H
#define TOOLS_TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What became of a connection, as its client saw it: exactly one of these. */
enum outcome {
	OUTCOME_SERVED,  /* the whole answer, then the end of the file */
	OUTCOME_TWICE,   /* a second answer, or somebody else's */
	OUTCOME_REFUSED, /* ECONNREFUSED */
	OUTCOME_RESET,   /* before the end of the answer */
	OUTCOME_CLOSED,  /* the end of the file without an answer */
	OUTCOME_SHORT,   /* the end of the file within the answer */
	OUTCOME_POLICY,  /* refused with the text that was expected */
	OUTCOME_TIMEOUT,
	OUTCOME_ERROR, /* this machine's fault, not the server's */
	OUTCOME_COUNT,
};

/* All connections of a run. */
struct tally {
	uint64_t started;
	uint64_t counts[OUTCOME_COUNT];
	uint64_t retries;    /* of connect(2), the backlog was full */
	int error;           /* errno of the last OUTCOME_ERROR */
	uint32_t *latencies; /* us from connect to the end, of those served */
	uint32_t *firsts;    /* us from connect to the first byte */
	size_t count;
	size_t room;
	uint64_t begin_us;
	uint64_t end_us;
	uint64_t last_us;  /* when a connection ended last */
	uint64_t stall_us; /* longest time in which none ended */
};

extern const char *const outcome_names[OUTCOME_COUNT];

/* Adds a connection that has ended. */
void tally_add(struct tally *tally, enum outcome outcome, uint64_t begin_us,
    uint64_t first_us, uint64_t end_us);

/* Prints the sums, rate and exact percentiles. */
void tally_print(struct tally *tally, int json, FILE *file);

/* True if every connection that was started has ended once. */
int tally_is_complete(const struct tally *tally);

void tally_done(struct tally *tally);

#endif
