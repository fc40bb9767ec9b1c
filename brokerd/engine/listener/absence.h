/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/limited_log.h"

struct pool;

/* The time for which connections of a listener wait and there is no worker.
 * All zeros: none wait. */
struct absence {
	uint64_t since_ms; /* 0: none wait */
	int told;          /* a line of the log says so */
	struct limited_log limit;
};

/* A connection waits: it begins, or goes on.  name is that of the listener. */
void absence_go_on(struct absence *absence, struct log *log, const char *name,
    const struct pool *pool);

/* Returns how long they have waited. */
uint64_t absence_waited_ms(const struct absence *absence);

/* A worker is there. */
void absence_end(struct absence *absence, struct log *log, const char *name);
