/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/limited_log.h"
#include "engine/policy/source_table.h"

struct listener;

/* How many connections each source has open.  Nobody tells the engine when a
 * worker closes one: it counts those that come, and asks the kernel when a
 * source seems to have too many.  All zeros: not counted yet. */
struct open_count {
	uint64_t again_us; /* when the kernel may be asked again */
	int error;         /* an errno: it does not tell */
	struct limited_log limit;
};

/* Counts one more of a source.  True if these are more than max-per-source;
 * without that nothing is counted. */
int open_count_exceeds(struct open_count *count,
    const struct listener *listener, struct source_table *sources,
    struct source_entry *source);
