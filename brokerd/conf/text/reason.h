/* SPDX-License-Identifier: ISC */
#pragma once

#define REASON_SIZE 512

/*
 * The reason of a failure, for a person to read.  An empty text is a failure
 * of the system (no memory), not of the configuration.
 */
struct reason {
	char text[REASON_SIZE];
};

/* How much of a value a text repeats, as a format. */
#define REASON_VALUE "\"%.160s\""

/* Writes the reason, cut to what fits.  Returns -1. */
int reason_set(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes the reason of a failure of the system.  Returns -1. */
int reason_system(struct reason *reason);
