/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Since when a listener is in its state. */
struct noted_state {
	uint32_t hash; /* of the listener's name; 0: free */
	uint32_t state;
	uint64_t since_ms;
};

/* A hash table, in memory that outlives an engine. */
struct noted_states {
	struct noted_state *items;
	size_t count;
};

/* What the engine before this one noted about a listener, and what this one
 * notes; NULL if there is no table.  Another engine may write there too. */
struct noted_state *noted_state_find(
    const struct noted_states *states, const char *listener);
