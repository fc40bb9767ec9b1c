/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/adopt.h"
#include "monitor/counters.h"

/* The state that a monitor keeps from start to end; zeros at first. */
struct setup {
	struct log log;
	int argc; /* the command line; the config reader interprets it */
	char **argv;
	const char *config;   /* the file */
	const char *programs; /* directory of brokerd-engine and brokerd-conf */
	const char *run_dir;  /* of -R, or NULL */
	int listens;          /* -l was given: there is no file */
	int test;             /* -t, -h or -V: only run the config reader */
	struct rundir rundir;
	int engine_program;
	int reader_program;
	int returns;     /* from the engine that was started last, for the next
			  * one; the monitor never reads it; or -1 */
	int signals;     /* a signalfd(2) */
	int ready;       /* --ready-fd, or -1 */
	char self[1024]; /* path of this program */
	int trial; /* not 0: end as soon as an engine is ready; if positive,
		    * where the version that runs wants a copy of the log */
	struct inherited inherited;
	struct counters counters;
	struct adopt adopt;
	pid_t engine_pid; /* of the version before this one; 0: none */
	int engine_channel;
	struct counters_file *engine_counters; /* or NULL */
};

/* Prepares the process: descriptors, limits and signals, then privileges, then
 * the run directory.  Returns -1 to go on, else the status to exit with, after
 * a line in the log. */
int setup_init(struct setup *setup, int argc, char **argv);

/* Writes to --ready-fd that the monitor serves. */
void setup_ready(struct setup *setup);
