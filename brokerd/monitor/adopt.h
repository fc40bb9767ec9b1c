/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/inherited.h"
#include "monitor/rundir.h"

#include "wire/names.h"

/* Connections to engines whose monitor has died, or -1. */
struct adopt {
	int orphans[FDRECV_WIRE_RENDEZVOUS_COUNT];
};

/* Asks every engine in the run directory that serves without a monitor for its
 * descriptors, unless none is set, and adds them to inherited. */
void adopt_ask(struct adopt *adopt, const struct rundir *rundir,
    struct inherited *inherited, int none);

/* Closes the connections.  If another engine serves now, the orphans are told
 * to drain. */
void adopt_done(struct adopt *adopt, int serves);
