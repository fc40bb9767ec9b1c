/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_TALLY_H
#define TOOLS_TALLY_H

#include "outcome.h"
#include "samples.h"

#define TALLY_ERRORS 16

/* How one connection ended. */
struct tally_end {
	enum outcome outcome;
	int error;    /* errno of OUTCOME_ERROR */
	int slow;     /* it had asked for slowness */
	int cut;      /* reset behind the whole answer */
	int unmet;    /* a time-out before it was connected */
	int answered; /* a time-out behind the whole answer */
	uint64_t begin_us;
	uint64_t first_us; /* of the first byte; 0: there was none */
	uint64_t end_us;
};

/* The accounts of a run. */
struct tally {
	uint64_t started;
	uint64_t outstanding;
	uint64_t counts[OUTCOME_COUNT];
	struct {
		int error;
		uint64_t count;
	} errors[TALLY_ERRORS]; /* the last takes what has no place else */
	uint64_t cut;
	uint64_t unmet;
	uint64_t answered;
	uint64_t backlog_full;    /* connect(2) tried again */
	uint64_t late;            /* begun later than the rate asked for */
	struct samples latencies; /* of those served, from connect to the end */
	struct samples slow;      /* the same of those that asked for it */
	struct samples firsts;    /* to the first byte */
	uint64_t begin_us;
	uint64_t end_us;
	uint64_t since_us; /* when one was answered last; 0: none waits */
	uint64_t stall_us; /* longest time in which some waited in vain */
	uint64_t stall_at_us;
};

void tally_start(struct tally *tally, uint64_t now_us);

void tally_end(struct tally *tally, const struct tally_end *end);

/* True if every connection that was started has ended, and once. */
int tally_is_sound(const struct tally *tally);

/* How many ended for want of this client's own means. */
uint64_t tally_local_errors(const struct tally *tally);

void tally_done(struct tally *tally);

#endif
