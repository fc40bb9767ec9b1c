/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Times in microseconds. */
struct samples {
	uint32_t *values;
	size_t count;
	size_t room;
};

/* Adds a sample; more than 71 minutes count as 71 minutes. */
void samples_add(struct samples *samples, uint64_t us);

void samples_sort(struct samples *samples);

/* The smallest of the sorted samples that at least per_mille of all do not
 * exceed; 0 if there are none. */
uint32_t samples_percentile(
    const struct samples *samples, unsigned int per_mille);

void samples_done(struct samples *samples);
