/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POLICY_BACKOFF_H
#define ENGINE_POLICY_BACKOFF_H

#include <stdint.h>

#define BACKOFF_MIN_MS 1
#define BACKOFF_MAX_MS 100

/* Exponential backoff: how long to wait before each next try. */
struct backoff {
	unsigned int step_ms; /* of the last try; 0: there was none */
};

/* Back to the beginning, after a success. */
void backoff_reset(struct backoff *backoff);

/* The next wait in microseconds: 1 ms, doubling to 100 ms, each spread over
 * its upper half by random (any value). */
unsigned int backoff_next_us(struct backoff *backoff, uint32_t random);

#endif
