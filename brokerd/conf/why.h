/* SPDX-License-Identifier: ISC */
#ifndef CONF_WHY_H
#define CONF_WHY_H

#include "conf/record.h"

/*
 * The reason of a failure, for a person to read.  An empty text is a failure
 * of the system (no memory), not of the configuration.
 */
struct why {
	char text[RECORD_TEXT_SIZE];
};

/* How much of a value a text repeats, as a format. */
#define WHY_VALUE "\"%.160s\""

/* Writes the reason, cut to what fits.  Returns -1. */
int why_set(struct why *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes the reason of a failure of the system.  Returns -1. */
int why_system(struct why *why);

#endif
