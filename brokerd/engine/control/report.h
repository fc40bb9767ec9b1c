/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/context.h"

#include <jansson.h>
#include <stdio.h>

struct peer;

/*
 * The reports of the control socket, see doc/CONTROL.md.
 */

enum report_step {
	REPORT_MORE,
	REPORT_DONE,
	REPORT_FAILED, /* no memory */
};

/* A report that may be long and is written to file step by step, so that
 * connections that are to be handed off need not wait for all of it.  Listeners
 * and pools live as long as the engine, so a step can begin where the last one
 * ended. */
struct report {
	const struct control_context *context;
	struct peer *peer; /* waits for it */
	const char *type;  /* MIME type */
	enum report_step (*step)(struct report *report);
	struct timer next; /* step */
	FILE *file;
	char *text; /* of file */
	size_t size;
	const struct listener *listener; /* the next one */
	struct pool *pool;               /* the next one */
	size_t count;                    /* of listeners */
	size_t done;                     /* items written */
	struct stats_listener *sums;     /* of them; or NULL */
};

/* Frees a report, which may be incomplete.  NULL is accepted. */
void report_free(struct report *report);

/* Writes the next item (takes it) of a JSON array.  0, or -1: no memory. */
int report_item(struct report *report, json_t *item);

/* Writes JSON (takes it).  0, or -1: no memory. */
int report_json(struct report *report, json_t *json);

/* Any bytes as a JSON string: those that are not UTF-8 become '?'. */
json_t *report_text(const char *bytes);

/* Appends such a string to lines, an array. */
void report_add_line(json_t *lines, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The broker and its listeners, as JSON. */
enum report_step report_status(struct report *report);

/* The same as one object, with this listener only; NULL: no memory. */
json_t *report_status_of(
    const struct control_context *context, const struct listener *listener);

/* The workers of all pools, as JSON. */
enum report_step report_workers(struct report *report);

/* The owners of mailboxes, as a JSON array; NULL: no memory. */
json_t *report_owners(const struct owner_quotas *quotas);

/* The same, as Prometheus reads it. */
void report_owner_metrics(FILE *file, const struct owner_quotas *quotas);

/* The counters, as Prometheus reads them. */
enum report_step report_metrics(struct report *report);

/* Part of these: the next values of one metric of the kernel's queues.
 * REPORT_DONE: which is behind the last one. */
enum report_step report_queues(struct report *report, size_t which);

/* Writes what comes before the values of a metric. */
void report_metric_head(FILE *file, const char *name, const char *end,
    const char *type, const char *description);

/* The condition of a listener in words, and as above; NULL: no memory. */
json_t *report_explain(
    const struct control_context *context, const struct listener *listener);

/* Which socket of the engine has that inode number; NULL: none has, or there
 * is no memory. */
json_t *report_whois(const struct control_context *context, uint64_t inode);

struct report_counter {
	const char *name;
	size_t offset; /* in struct stats_listener */
	int gauge;
	const char *description;
};

/* The counters of a listener; the last one's name is NULL. */
extern const struct report_counter report_counters[];

/* The value of a counter in counters. */
uint64_t report_counter_value(const struct report_counter *counter,
    const struct stats_listener *counters);
