/* SPDX-License-Identifier: ISC */
#ifndef UNIT_DOUBLE_H
#define UNIT_DOUBLE_H

#include <stdint.h>

/*
 * What the monitor's tests start in the engine's place.  What it is to do
 * stands in its counters, and there it writes what it got.
 */

enum double_does {
	DOUBLE_RIGHT,
	DOUBLE_LIE,     /* a message that is the monitor's to say */
	DOUBLE_GARBAGE, /* one that nobody says */
	DOUBLE_PASS,    /* READY, and a descriptor with it */
	DOUBLE_HURRY,   /* READY, and another one after START */
	DOUBLE_EXIT,    /* at once, with number */
	DOUBLE_SIGNAL,  /* number, once the table is there */
	DOUBLE_SLOW,    /* leaves the channel first, and ends later */
	DOUBLE_RESET,   /* likewise, with messages in it */
	DOUBLE_HANG,    /* reads nothing, says nothing */
};

struct double_counters {
	enum double_does does;
	int number;
	uint32_t endpoints; /* that came in their order, with a socket */
	int started;
};

/* Gives the memfd of counters, and the mapping. */
int double_counters(struct double_counters **out_counters);

/* The engine's main(); returns the status to exit with. */
int double_main(void);

#endif
