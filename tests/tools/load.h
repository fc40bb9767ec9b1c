/* SPDX-License-Identifier: ISC */
#pragma once

#include "client.h"
#include "load_counts.h"
#include "run_log.h"

/* A run: its extent and its counts. */
struct load {
	struct client_plan plan;
	size_t concurrency;
	uint64_t total;       /* UINT64_MAX: no limit */
	uint64_t duration_us; /* 0: no limit */
	uint64_t rate;        /* starts a second; 0: as soon as one ended */
	int json;
	struct run_log journal;
	struct run_log replies;
	struct load_counts counts;

	struct client *clients;
	struct client_list lists[CLIENT_STATES];
	struct client_list running; /* oldest first */
	uint64_t now_us;
	uint64_t rest_until_us; /* none starts before */
	int signals;
	int ending; /* none starts any more */
};

/* Allocates and opens all that a run needs, or exits with a message. */
void load_init(struct load *load);

/* Runs until the total or the duration is reached, or SIGTERM or SIGINT
 * arrives. */
void load_run(struct load *load);

void load_done(struct load *load);
