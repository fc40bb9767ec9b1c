/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/channel.h"
#include "monitor/spawn.h"
#include "monitor/table.h"

/* An engine, as the monitor sees it. */
struct engine_process {
	pid_t pid;   /* 0: none */
	int channel; /* -1: none */
	int returns; /* what it is to return, until it serves; 0, -1: none */
	enum channel_phase phase;
	uint64_t started_ms;            /* then since when it serves */
	uint32_t asked;                 /* requests that were read */
	uint64_t messages_ms;           /* see monitor_receive() */
	struct counters_file *counters; /* that it writes, or NULL */
	struct counters_file *sums;     /* that it makes now, or NULL */
	unsigned int summing;           /* SUMMED that it has not said yet */
};

/* Starts an engine, sends it the whole table and waits for READY.  Returns -1
 * if all went well, else the status to exit with, after a line in the log; then
 * the engine has been ended. */
int engine_process_start(struct engine_process *engine, struct setup *setup,
    const struct table *table);

/* Sends START: from now on the engine serves.  Returns as above. */
int engine_process_serve(struct engine_process *engine, struct setup *setup);

/* Sends the result of a request, with a file of lines that come before the text
 * (borrowed; -1: none).  It is lost if the engine does not read. */
void engine_process_tell(
    struct engine_process *engine, int status, const char *text, int report);

/* Has it sum up the counters of engines that have ended.  It says SUMMED, see
 * counters_replace(). */
void engine_process_sum(
    struct engine_process *engine, struct counters *counters);

/* Ends the process, at deadline_ms (monotonic) by force.  Returns what
 * spawn_wait() returns, or 0 if there is none. */
int engine_process_end(struct engine_process *engine, uint64_t deadline_ms);
