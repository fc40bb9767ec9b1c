/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_REPORT_H
#define ENGINE_CONTROL_REPORT_H

#include "engine/control/control.h"

#include <jansson.h>
#include <stdio.h>

/*
 * What the control socket tells, see doc/CONTROL.md.
 */

/* A report that may be long, a step at a time: connections that are to be
 * handed off must not wait for all of it. */
struct control_report {
	const struct control *control;
	FILE *file;
	/* Where the next step goes on. */
	const struct listener *listener;
	const struct pool *pool;
	size_t count, done; /* listeners */
	struct stats_listener *sums;
};

enum control_step {
	CONTROL_MORE,
	CONTROL_DONE,
	CONTROL_FAILED, /* no memory */
};

/* The broker and its listeners, as JSON. */
enum control_step control_status_step(struct control_report *report);

/* The workers of all pools, as JSON. */
enum control_step control_workers_step(struct control_report *report);

/* The counters for a collector. */
enum control_step control_metrics_step(struct control_report *report);

/* How a listener is, in words; NULL: no memory. */
json_t *control_explain(const struct listener *listener);

/* Which of the broker's sockets that is; NULL also if it is none. */
json_t *control_whois(const struct control *control, uint64_t inode);

/* Text as a JSON string, whatever bytes are in it. */
json_t *control_text(const char *text);

/* Writes it (takes it) to file.  0, or -1: there was no memory for it. */
int control_put(FILE *file, json_t *json);

struct control_counter {
	const char *name;
	size_t offset; /* in struct stats_listener */
	int gauge;
	const char *description;
};

/* The counters of a listener; the last one's name is NULL. */
extern const struct control_counter control_counters[];

#endif
