/* SPDX-License-Identifier: ISC */
/*
 * Arrays of line numbers, in the config reader.
 */
#include "conf/syntax/lines.h"

#include <stdlib.h>

/* There is room up to the next power of two. */
int
lines_push(struct lines *lines, unsigned int line)
{
	size_t count = lines->count;
	unsigned int *items = lines->items;

	if ((count & (count - 1)) == 0)
		items = reallocarray(
		    items, count == 0 ? 1 : count * 2, sizeof(*items));
	if (items == NULL)
		return -1;
	lines->items = items;
	items[lines->count++] = line;
	return 0;
}

void
lines_done(struct lines *lines)
{
	free(lines->items);
	lines->items = NULL;
	lines->count = 0;
}
