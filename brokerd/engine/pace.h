/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include <stdint.h>

#define PACE_PAUSE_US 100

/* Moderates wake-ups, as network drivers do: when connections arrive fast, a
 * short pause between two rounds lets some gather, and engine and worker wake
 * up once for all of them. */
struct pace {
	uint64_t since_us; /* begin of the interval that is measured */
	uint64_t accepted; /* until then */
	int on;
};

/* How long to pause now, in microseconds: 0 or PACE_PAUSE_US.  accepted is the
 * number of all connections so far. */
unsigned int pace_next_us(
    struct pace *pace, uint64_t now_us, uint64_t accepted);

#endif
