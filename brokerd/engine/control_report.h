/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_REPORT_H
#define ENGINE_CONTROL_REPORT_H

#include "engine/control.h"

#include <jansson.h>

/*
 * What the control socket tells, see doc/CONTROL.md.  NULL: no memory.
 */

/* The broker and its listeners. */
json_t *control_status(const struct control *control);

/* The workers of all pools. */
json_t *control_workers(const struct control *control);

/* The counters for a collector; malloc'd text. */
char *control_metrics(const struct control *control);

/* How a listener is, in words. */
json_t *control_explain(const struct listener *listener);

/* Which of the broker's sockets that is; NULL also if it is none. */
json_t *control_whois(const struct control *control, uint64_t inode);

/* Text as a JSON string, whatever bytes are in it. */
json_t *control_text(const char *text);

struct control_counter {
	const char *name;
	size_t offset; /* in struct stats_listener */
	int gauge;
	const char *description;
};

/* The counters of a listener; the last one's name is NULL. */
extern const struct control_counter control_counters[];

#endif
