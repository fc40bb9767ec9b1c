/* SPDX-License-Identifier: ISC */
/*
 * Since when listeners are in their states, whatever engine saw it.  Engine,
 * unprivileged.
 */
#include "engine/handoff/noted_state.h"

#define NOTED_STATE_HASH 2166136261U /* FNV-1a */
#define NOTED_STATE_PRIME 16777619U
#define NOTED_STATE_PROBES 8

/* A listener whose entries are all taken gets that of another one, which then
 * seems to have changed its state. */
struct noted_state *
noted_state_find(const struct noted_states *states, const char *listener)
{
	struct noted_state *state = NULL;
	uint32_t hash = NOTED_STATE_HASH;

	if (states->count == 0)
		return NULL;
	for (; *listener != '\0'; listener++)
		hash = (hash ^ (unsigned char)*listener) * NOTED_STATE_PRIME;
	hash |= 1;
	for (uint32_t i = 0; i < NOTED_STATE_PROBES; i++) {
		state = &states->items[(hash + i) % states->count];
		if (state->hash == hash || state->hash == 0)
			break;
	}
	if (state->hash != hash)
		*state = (struct noted_state){.hash = hash};
	return state;
}
