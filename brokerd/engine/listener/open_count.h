/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/limited_log.h"
#include "engine/policy/source_table.h"
#include "engine/timer.h"

struct listener;
struct listener_endpoint;

/* How many connections each source has open.  Nobody tells the engine when a
 * worker closes one: it counts those that come, and asks the kernel when a
 * source seems to have too many.  The censuses have numbers, of which each
 * source has those that it needs: no census has to go through all sources. */
struct open_count {
	const struct listener *listener; /* borrowed, as sources */
	struct source_table *sources;
	uint64_t
	    again_us; /* when the kernel may be asked again; 0: never yet */
	int is_long;  /* the last census took more than a part */
	const struct listener_endpoint *endpoint; /* of which it is asked */
	uint64_t begun_us, spent_us;
	struct timer next; /* part of the census */
	struct limited_log limit;
};

/* Nothing is counted yet.  Borrows both.  0, or -1 with ENOMEM. */
int open_count_init(struct open_count *count, const struct listener *listener,
    struct source_table *sources);

void open_count_done(struct open_count *count);

/* Counts one more of a source.  True if these are more than max-per-source;
 * without that nothing is counted. */
int open_count_exceeds(struct open_count *count, struct source_entry *source);

/* One of a source came in any case, or has not stayed. */
void open_count_add(struct open_count *count, struct source_entry *source);
void open_count_remove(struct open_count *count, struct source_entry *source);
