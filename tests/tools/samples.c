/* SPDX-License-Identifier: ISC */
/*
 * Exact percentiles: all samples are kept, four bytes each, and sorted after
 * the measurement.
 */
#include "samples.h"

#include <err.h>
#include <stdlib.h>

#define SAMPLES_FIRST 65536

void
samples_add(struct samples *samples, uint64_t us)
{
	if (samples->count == samples->room) {
		samples->room =
		    samples->room == 0 ? SAMPLES_FIRST : samples->room * 2;
		samples->values = realloc(
		    samples->values, samples->room * sizeof(*samples->values));
		if (samples->values == NULL)
			err(71, "memory for samples");
	}
	samples->values[samples->count++] =
	    us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int
samples_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
samples_sort(struct samples *samples)
{
	if (samples->count > 0)
		qsort(samples->values, samples->count, sizeof(*samples->values),
		    samples_compare);
}

uint32_t
samples_percentile(const struct samples *samples, unsigned int per_mille)
{
	size_t rank = (samples->count * per_mille + 999) / 1000;

	if (samples->count == 0)
		return 0;
	return samples->values[rank == 0 ? 0 : rank - 1];
}

void
samples_done(struct samples *samples)
{
	free(samples->values);
	*samples = (struct samples){0};
}
