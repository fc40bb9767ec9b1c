/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/*
 * A request of a new monitor to an engine whose monitor has died, on the
 * engine's rendezvous socket and not on the channel.  The answer is one byte,
 * with the descriptor that has this number in the engine's table, or with the
 * counters for the number after the last one, or without a descriptor for
 * greater numbers.  The engine hangs up if it refuses.  All versions have the
 * same request.
 */
#define CHANNEL_ADOPT_MAGIC "adop"
#define CHANNEL_ADOPTED UINT32_MAX /* another engine serves; no answer */
struct channel_adopt {
	char magic[4];
	uint32_t number;
};

/* Asks an engine (borrows the connection) for the descriptor with a number.
 * Gives *out_fd, -1 if there is none.  0, or -1 if it has not answered. */
int adoption_ask(
    int engine, uint32_t number, uint64_t deadline_ms, int *out_fd);
