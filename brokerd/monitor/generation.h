/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_GENERATION_H
#define MONITOR_GENERATION_H

#include "monitor/engine_process.h"

/* A configuration and the engine that serves it.  Zeros, but for a channel of
 * -1, when there is none. */
struct generation {
	struct table table;
	struct engine_process engine;
	uint64_t kill_ms; /* when it drains: the latest end */
};

/* Makes one whose engine is ready to take over, of what inherited (takes it)
 * has and the configuration wants.  Nothing that serves is touched.  Returns
 * -1, or the status to exit with, after a line in the log; then it is gone. */
int generation_make(struct generation *generation, struct setup *setup,
    struct inherited *inherited);

/* Lets it serve.  Returns as above. */
int generation_serve(struct generation *generation, struct setup *setup);

/* Begins its end: it drains, as drain says. */
void generation_drain(
    struct generation *generation, const struct channel_drain *drain);

/* Ends it at once. */
void generation_end(struct generation *generation, enum endpoint_end end);

#endif
