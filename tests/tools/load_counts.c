/* SPDX-License-Identifier: ISC */
/*
 * The load generator's counts.  Each connection that starts must end once.
 *
 * A stall is a time in which connections were outstanding and none was
 * answered.  A connection that fails does not end a stall.
 */
#include "load_counts.h"

void
load_counts_start(struct load_counts *counts, uint64_t now_us)
{
	counts->started++;
	counts->outstanding++;
	if (counts->since_us == 0)
		counts->since_us = now_us;
}

static void
load_counts_error(struct load_counts *counts, int error)
{
	int i = 0;

	while (i < LOAD_COUNTS_ERRORS - 1 && counts->errors[i].count != 0 &&
	    counts->errors[i].error != error)
		i++;
	counts->errors[i].error = error;
	counts->errors[i].count++;
}

static void
load_counts_stall(struct load_counts *counts, const struct load_result *result)
{
	uint64_t gap = result->end_us - counts->since_us;

	if (gap > counts->stall_us) {
		counts->stall_us = gap;
		counts->stall_at_us = counts->since_us;
	}
	if (result->outcome == OUTCOME_SERVED ||
	    result->outcome == OUTCOME_POLICY)
		counts->since_us =
		    counts->outstanding == 0 ? 0 : result->end_us;
}

void
load_counts_end(struct load_counts *counts, const struct load_result *result)
{
	uint64_t latency = result->end_us - result->begin_us;

	counts->outstanding--;
	counts->outcomes[result->outcome]++;
	counts->reset_after_reply += result->reset_after_reply != 0;
	counts->unconnected += result->unconnected != 0;
	counts->timeout_after_reply += result->timeout_after_reply != 0;
	load_counts_stall(counts, result);
	if (result->outcome == OUTCOME_ERROR)
		load_counts_error(counts, result->error);
	if (result->outcome != OUTCOME_SERVED)
		return;
	if (result->slow) {
		samples_add(&counts->slow, latency);
		return;
	}
	samples_add(&counts->latencies, latency);
	samples_add(&counts->firsts, result->first_us - result->begin_us);
	samples_add(&counts->ends, result->end_us - result->first_us);
}

int
load_counts_is_sound(const struct load_counts *counts)
{
	uint64_t sum = 0;

	for (int i = 0; i < OUTCOME_COUNT; i++)
		sum += counts->outcomes[i];
	return sum == counts->started && counts->outstanding == 0;
}

uint64_t
load_counts_local_errors(const struct load_counts *counts)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOAD_COUNTS_ERRORS; i++)
		if (outcome_errno_is_local(counts->errors[i].error))
			sum += counts->errors[i].count;
	return sum;
}

void
load_counts_done(struct load_counts *counts)
{
	samples_done(&counts->latencies);
	samples_done(&counts->slow);
	samples_done(&counts->firsts);
	samples_done(&counts->ends);
}
