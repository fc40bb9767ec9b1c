/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/stats_row.h"

#include <stddef.h>

/* Rows by name: a hash table of their numbers. */
struct stats_index {
	const struct stats_row *rows; /* borrowed */
	uint32_t *slots;              /* numbers plus 1; 0: free */
	size_t mask;
};

/* Finds count rows.  0, or -1 with errno; stats_index_done() in either case. */
int stats_index_init(
    struct stats_index *index, const struct stats_row *rows, size_t count);

/* The number of the row with that name, plus 1; 0 if there is none. */
uint32_t stats_index_find(const struct stats_index *index, const char *name);

/* All zeros are accepted. */
void stats_index_done(struct stats_index *index);
