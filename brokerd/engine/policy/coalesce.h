/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POLICY_COALESCE_H
#define ENGINE_POLICY_COALESCE_H

#include <stdint.h>

#define COALESCE_SHORT_US 100
#define COALESCE_LONG_US 500

/* What all listeners have done so far. */
struct coalesce_count {
	uint64_t accepted; /* connections */
	uint64_t rounds;   /* events that brought at least one */
};

/* Moderates wake-ups, as network drivers do: when many connections arrive fast,
 * a short pause between two rounds lets some gather, and engine and worker
 * wake up once for all of them. */
struct coalesce {
	uint64_t since_us; /* begin of the interval that is measured */
	struct coalesce_count before;
	unsigned int pause_us; /* 0: off */
	uint64_t rate;         /* with the short pause; 0: not measured */
	unsigned int keep;     /* for so many intervals */
};

/* Whether those who connect to one endpoint come alone. */
struct coalesce_lone {
	unsigned int rounds; /* in which no second one is asked for */
};

/* How many connections the next round may accept, at most most.  That there is
 * no second one costs a system call to learn, so while they come alone it is
 * asked for now and then. */
unsigned int coalesce_next_round(
    struct coalesce_lone *lone, unsigned int most, int pausing);

/* The round brought so many, and might have brought most. */
void coalesce_on_round(
    struct coalesce_lone *lone, unsigned int most, unsigned int accepted);

/* How long to pause now, in microseconds: 0 or one of these. */
unsigned int coalesce_next_us(
    struct coalesce *pace, uint64_t now_us, const struct coalesce_count *count);

#endif
