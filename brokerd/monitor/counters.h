/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/inherited.h"

#define COUNTERS_MAX 16

#define COUNTERS_LIVES UINT64_MAX
#define COUNTERS_NEW (UINT64_MAX - 1)

/* A memfd that an engine writes and later engines read; the monitor does
 * neither. */
struct counters_file {
	int fd; /* -1: none */
	/* When its engine will have ended.  COUNTERS_LIVES: that is not known;
	 * COUNTERS_NEW: it does not serve yet, or the sums are not complete; 0:
	 * it has ended, and the present engine was told so. */
	uint64_t ends_ms;
};

struct counters {
	struct counters_file files[COUNTERS_MAX];
};

/* Takes those that were inherited.  Returns one of an engine that may live, of
 * the version before this one if there was an upgrade, or NULL. */
struct counters_file *counters_inherit(
    struct counters *counters, struct inherited *inherited);

/* A new one; NULL if there is no room or memory. */
struct counters_file *counters_new(struct counters *counters);

/* Closes all of which the present engine was told that they ended, and has the
 * sums of these instead; *sums becomes NULL. */
void counters_replace(struct counters *counters, struct counters_file **sums);

/* Its engine has ended.  Drops what is new; *file, which may be NULL, becomes
 * NULL. */
void counters_end(struct counters_file **file);
