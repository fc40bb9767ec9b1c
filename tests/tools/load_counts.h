/* SPDX-License-Identifier: ISC */
#pragma once

#include "outcome.h"
#include "samples.h"

#define LOAD_COUNTS_ERRORS 16

/* How one connection ended. */
struct load_result {
	enum outcome outcome;
	int error;               /* errno of OUTCOME_ERROR */
	int slow;                /* its request asked for a slow reply */
	int reset_after_reply;   /* reset after the complete reply */
	int unconnected;         /* timed out before it was connected */
	int timeout_after_reply; /* timed out after the complete reply */
	uint64_t begin_us;
	uint64_t first_us; /* of the first byte, or 0 */
	uint64_t end_us;
};

/* The counts of a run. */
struct load_counts {
	uint64_t started;
	uint64_t outstanding;
	uint64_t outcomes[OUTCOME_COUNT];
	struct {
		int error;
		uint64_t count;
	} errors[LOAD_COUNTS_ERRORS]; /* the last entry is for all others */
	uint64_t reset_after_reply;
	uint64_t unconnected;
	uint64_t timeout_after_reply;
	uint64_t backlog_full;    /* connect(2) had to be repeated */
	uint64_t late;            /* started later than the rate requires */
	struct samples latencies; /* of those served, from connect to the end */
	struct samples slow;      /* the same for slow requests */
	struct samples firsts;    /* from connect to the first byte */
	struct samples ends;      /* from there to the end of file */
	uint64_t begin_us;
	uint64_t end_us;
	uint64_t since_us; /* start of the present stall, or 0 */
	uint64_t stall_us; /* length of the longest stall */
	uint64_t stall_at_us;
};

void load_counts_start(struct load_counts *counts, uint64_t now_us);

void load_counts_end(
    struct load_counts *counts, const struct load_result *result);

/* True if each connection that was started has ended once. */
int load_counts_is_sound(const struct load_counts *counts);

/* The number of errors for which this process is responsible. */
uint64_t load_counts_local_errors(const struct load_counts *counts);

void load_counts_done(struct load_counts *counts);
