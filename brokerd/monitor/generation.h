/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/engine_process.h"

/* A configuration and the engine that serves it.  If there is none, everything
 * is zero but the channel, which is -1. */
struct generation {
	struct table table;
	struct engine_process engine;
	uint64_t kill_ms; /* while it drains: when it is ended at the latest */
};

/* Makes a generation of the present configuration, with sockets that were
 * inherited (takes them) where it names them, and an engine, which serves.  If
 * it fails, what serves now is not changed.  Returns -1, or the status to exit
 * with, after a line in the log; then there is none.  A trial ends with EX_OK
 * when the engine is ready. */
int generation_start(struct generation *generation, struct setup *setup,
    struct inherited *inherited);

/* Begins to drain. */
void generation_drain(
    struct generation *generation, const struct channel_drain *drain);

/* Ends a generation at once.  Does nothing if there is none. */
void generation_end(struct generation *generation, enum endpoint_end end);
