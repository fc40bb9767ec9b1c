/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_SETUP_H
#define MONITOR_SETUP_H

#include "monitor/adopt.h"

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
	int counters;    /* the engine's memfd; carried, never looked into */
	int signals;     /* a signalfd(2) */
	int ready;       /* to be told when it serves; -1: nobody */
	char self[1024]; /* where this program is */
	int trial;       /* get ready, and end */
	struct inherited inherited;
	struct adopt adopt;
	pid_t engine_pid; /* of the version before; 0: none */
	int engine_channel;
};

/* The start-up ladder: what the process was given is put in order, then the
 * privileges go, then the run directory is taken.  Returns -1 to go on, else
 * the status to exit with, after a line in the log. */
int setup_init(struct setup *setup, int argc, char **argv);

/* For setup.c, in environment.c: takes what the starter hands on and closes
 * what else is open, from 3 up.  0, or -1 with errno. */
int setup_inherit(struct setup *setup);

/* Likewise: the counters, inherited or new.  0, or -1 with errno. */
int setup_counters(struct setup *setup);

/* Tells who waits for it, on --ready-fd, that it serves. */
void setup_ready(struct setup *setup);

#endif
