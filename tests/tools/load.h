/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_LOAD_H
#define TOOLS_LOAD_H

#include "client.h"
#include "run_log.h"
#include "tally.h"

/* A run: how much of it, and its accounts. */
struct load {
	struct client_plan plan;
	size_t concurrency;
	uint64_t total;       /* UINT64_MAX: no end of it */
	uint64_t duration_us; /* 0: no end of it */
	uint64_t rate;        /* begun in a second; 0: as soon as one ended */
	int json;
	struct run_log journal;
	struct run_log answers;
	struct tally tally;

	struct client *clients;
	struct client_list lists[CLIENT_STATES];
	struct client_list running; /* oldest first */
	uint64_t now_us;
	uint64_t rest_until_us; /* begin none before */
	int signals;
	int ending; /* begin no more */
};

/* Allocates and opens what a run needs; exits with a message if it cannot. */
void load_init(struct load *load);

/* Runs until all is done: the total, the duration, or SIGTERM or SIGINT. */
void load_run(struct load *load);

void load_done(struct load *load);

#endif
