/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_SETUP_H
#define MONITOR_SETUP_H

#include "monitor/rundir.h"

/* What a monitor has from its start to its end; zeros before. */
struct setup {
	struct log log;
	int argc; /* the command line, for the config reader to understand */
	char **argv;
	const char *config;   /* the file */
	const char *programs; /* where brokerd-engine and brokerd-conf are */
	const char *run_dir;  /* -R, or NULL */
	int listens;          /* -l: without a file */
	int test;             /* -t, -h, -V: no more than read and say */
	struct rundir rundir;
	int engine_program;
	int reader_program;
	int counters; /* the engine's memfd; carried, never looked into */
	int signals;  /* a signalfd(2) */
};

/* The start-up ladder: what the process was given is put in order, then the
 * privileges go, then the run directory is taken.  Returns -1 to go on, else
 * the status to exit with, after a line in the log. */
int setup_init(struct setup *setup, int argc, char **argv);

#endif
