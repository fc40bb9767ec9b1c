/* SPDX-License-Identifier: ISC */
/*
 * Rows by name.  Engine, unprivileged.
 */
#include "engine/handoff/stats_index.h"

#include <stdlib.h>
#include <string.h>

/* The slot of a name, or the free one where it would be. */
static uint32_t *
stats_index_slot(const struct stats_index *index, const char *name)
{
	size_t at = 0;

	for (const char *next = name; *next != '\0'; next++)
		at = at * 31 + (unsigned char)*next;
	while (index->slots[at &= index->mask] != 0 &&
	    strcmp(index->rows[index->slots[at] - 1].counters.name, name) != 0)
		at++;
	return &index->slots[at];
}

int
stats_index_init(
    struct stats_index *index, const struct stats_row *rows, size_t count)
{
	size_t size = 2;

	while (size < 2 * count)
		size *= 2;
	*index = (struct stats_index){.rows = rows,
	    .slots = calloc(size, sizeof(*index->slots)),
	    .mask = size - 1};
	if (index->slots == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++)
		*stats_index_slot(index, rows[i].counters.name) = i + 1;
	return 0;
}

uint32_t
stats_index_find(const struct stats_index *index, const char *name)
{
	return *stats_index_slot(index, name);
}

void
stats_index_done(struct stats_index *index)
{
	free(index->slots);
	*index = (struct stats_index){.slots = NULL};
}
