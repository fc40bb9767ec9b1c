/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_ADOPT_H
#define MONITOR_ADOPT_H

#include "monitor/inherited.h"
#include "monitor/rundir.h"

#include "wire/names.h"

/* Engines whose monitor has died; a connection to each, or -1. */
struct adopt {
	int orphans[FDRECV_WIRE_RENDEZVOUS_COUNT];
};

/* Asks every engine that serves on in the run directory without a monitor for
 * its descriptors; or none. */
void adopt_ask(struct adopt *adopt, const struct rundir *rundir,
    struct inherited *inherited, int none);

/* Another engine serves: lets the orphans drain (serves), or leaves them as
 * they are. */
void adopt_done(struct adopt *adopt, int serves);

#endif
