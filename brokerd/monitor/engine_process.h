/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_ENGINE_PROCESS_H
#define MONITOR_ENGINE_PROCESS_H

#include "channel/channel.h"
#include "monitor/table.h"

/* One engine, as the monitor sees it. */
struct engine_process {
	pid_t pid;   /* 0: none */
	int channel; /* -1: none */
	enum channel_phase phase;
	uint64_t started_ms;
};

/* Starts an engine, gives it the whole table and waits until it says READY.
 * Returns -1 when all went well, else the status to exit with; then it is gone
 * again, and a line is in the log. */
int engine_process_start(struct engine_process *engine, struct setup *setup,
    const struct table *table);

/* Says START: what waits is served from now on.  Returns as above. */
int engine_process_serve(struct engine_process *engine, struct setup *setup);

/* Says DRAIN.  0, or -1 with errno. */
int engine_process_drain(
    struct engine_process *engine, const struct channel_drain *drain);

/* Says what came of a request.  An engine that does not read misses it. */
void engine_process_tell(
    struct engine_process *engine, int status, const char *text);

/* Ends the process, at deadline_ms (monotonic) by force.  Returns what
 * spawn_wait() does. */
int engine_process_end(struct engine_process *engine, uint64_t deadline_ms);

#endif
