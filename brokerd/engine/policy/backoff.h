/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#define BACKOFF_MIN_MS 1
#define BACKOFF_MAX_MS 100

/* Exponential backoff between tries. */
struct backoff {
	unsigned int step_ms; /* of the last try; 0: none yet */
};

/* Starts again with the shortest wait, after a success. */
void backoff_reset(struct backoff *backoff);

/* Returns the next wait in microseconds: at most 1 ms, then twice as long each
 * time, up to 100 ms; random (any value) takes off up to a half. */
unsigned int backoff_next_us(struct backoff *backoff, uint32_t random);
