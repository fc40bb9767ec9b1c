/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#define COALESCE_SHORT_US 100
#define COALESCE_LONG_US 250

/* Totals of all listeners. */
struct coalesce_count {
	uint64_t accepted; /* connections */
	uint64_t rounds;   /* events that brought at least one */
	uint64_t present;  /* sum over these: connections that were there, as
			    * they came just now or lack a receipt */
};

/* Shared by the listeners and the event loop. */
struct coalesce_load {
	struct coalesce_count count;
	int more;    /* a round ended although connections may still wait */
	int pausing; /* the loop pauses between rounds */
};

/* Moderates wake-ups, as network drivers do: when many connections arrive fast,
 * a short pause between two rounds lets some gather, so that engine and worker
 * wake up once for all of them. */
struct coalesce {
	uint64_t since_us; /* begin of the measured interval */
	struct coalesce_count before;
	unsigned int pause_us; /* 0: off */
	uint64_t rate;         /* with the short pause; 0: not measured */
	unsigned int keep;     /* intervals left with the chosen pause */
};

/* Tells whether connections to one endpoint come one at a time. */
struct coalesce_lone {
	unsigned int rounds; /* left that try to accept only one */
	int none_waits;      /* as far as the last round knows */
};

/* Returns how many connections the next round may accept, at most most.  It
 * costs a system call to learn that no second connection waits, so while they
 * come one at a time only some rounds try. */
unsigned int coalesce_next_round(
    struct coalesce_lone *lone, unsigned int most, int pausing);

/* A round that might have accepted most connections accepted that many. */
void coalesce_on_round(
    struct coalesce_lone *lone, unsigned int most, unsigned int accepted);

/* An event of a listener has ended, before which accepted was before. */
void coalesce_on_event(
    struct coalesce_count *count, uint64_t before, uint64_t unreceipted);

/* Returns how long to pause now: 0, COALESCE_SHORT_US or COALESCE_LONG_US. */
unsigned int coalesce_next_us(struct coalesce *coalesce, uint64_t now_us,
    const struct coalesce_count *count);
