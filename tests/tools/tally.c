/* SPDX-License-Identifier: ISC */
/*
 * The load generator's accounts: starts on one side, ends on the other, which
 * must balance.
 *
 * A stall is a time in which connections were outstanding and none was
 * answered; one that ended badly does not end the stall.
 */
#include "tally.h"

void
tally_start(struct tally *tally, uint64_t now_us)
{
	tally->started++;
	tally->outstanding++;
	if (tally->since_us == 0)
		tally->since_us = now_us;
}

static void
tally_error(struct tally *tally, int error)
{
	int i = 0;

	while (i < TALLY_ERRORS - 1 && tally->errors[i].count != 0 &&
	    tally->errors[i].error != error)
		i++;
	tally->errors[i].error = error;
	tally->errors[i].count++;
}

static void
tally_stall(struct tally *tally, const struct tally_end *end)
{
	uint64_t gap = end->end_us - tally->since_us;

	if (gap > tally->stall_us) {
		tally->stall_us = gap;
		tally->stall_at_us = tally->since_us;
	}
	if (end->outcome == OUTCOME_SERVED || end->outcome == OUTCOME_POLICY)
		tally->since_us = tally->outstanding == 0 ? 0 : end->end_us;
}

void
tally_end(struct tally *tally, const struct tally_end *end)
{
	uint64_t latency = end->end_us - end->begin_us;

	tally->outstanding--;
	tally->counts[end->outcome]++;
	tally->cut += end->cut != 0;
	tally->unmet += end->unmet != 0;
	tally->answered += end->answered != 0;
	tally_stall(tally, end);
	if (end->outcome == OUTCOME_ERROR)
		tally_error(tally, end->error);
	if (end->outcome != OUTCOME_SERVED)
		return;
	if (end->slow) {
		samples_add(&tally->slow, latency);
		return;
	}
	samples_add(&tally->latencies, latency);
	samples_add(&tally->firsts, end->first_us - end->begin_us);
}

int
tally_is_sound(const struct tally *tally)
{
	uint64_t sum = 0;

	for (int i = 0; i < OUTCOME_COUNT; i++)
		sum += tally->counts[i];
	return sum == tally->started && tally->outstanding == 0;
}

uint64_t
tally_local_errors(const struct tally *tally)
{
	uint64_t sum = 0;

	for (int i = 0; i < TALLY_ERRORS; i++)
		if (outcome_errno_is_local(tally->errors[i].error))
			sum += tally->errors[i].count;
	return sum;
}

void
tally_done(struct tally *tally)
{
	samples_done(&tally->latencies);
	samples_done(&tally->slow);
	samples_done(&tally->firsts);
}
