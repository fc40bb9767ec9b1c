/* SPDX-License-Identifier: ISC */
#pragma once

#define REASON_SIZE 512

enum reason_kind {
	REASON_WRONG,   /* the configuration is wrong */
	REASON_UNKNOWN, /* it names something unknown, perhaps only for now */
	REASON_PASSING, /* it may be right: the next time may succeed */
};

/*
 * The reason of a failure, for a person to read.  An empty text is a failure
 * of the system (no memory), not of the configuration.
 */
struct reason {
	char text[REASON_SIZE];
	enum reason_kind kind;
};

/* How much of a value a text repeats, as a format. */
#define REASON_VALUE "\"%.160s\""

/* Writes the reason, cut to what fits; kind is REASON_WRONG.  Returns -1. */
int reason_set(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the kind of a reason that was written.  Returns -1. */
int reason_is(struct reason *reason, enum reason_kind kind);

/* Writes the reason of a failure of the system.  Returns -1. */
int reason_system(struct reason *reason);
