/* SPDX-License-Identifier: ISC */
/*
 * The load generator's accounts.  Percentiles are exact: all samples are kept
 * and sorted.
 */
#include "tally.h"

#include <sys/resource.h>

#include <err.h>
#include <stdlib.h>
#include <string.h>

const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_SERVED] = "served",
    [OUTCOME_TWICE] = "twice",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_RESET] = "reset",
    [OUTCOME_CLOSED] = "closed",
    [OUTCOME_SHORT] = "short",
    [OUTCOME_POLICY] = "policy",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_ERROR] = "error",
};

static void
tally_sample(struct tally *tally, uint64_t latency_us, uint64_t first_us)
{
	if (tally->count == tally->room) {
		tally->room = tally->room == 0 ? 4096 : tally->room * 2;
		tally->latencies = realloc(
		    tally->latencies, tally->room * sizeof(*tally->latencies));
		tally->firsts = realloc(
		    tally->firsts, tally->room * sizeof(*tally->firsts));
		if (tally->latencies == NULL || tally->firsts == NULL)
			err(71, "memory");
	}
	tally->latencies[tally->count] = (uint32_t)latency_us;
	tally->firsts[tally->count] = (uint32_t)first_us;
	tally->count++;
}

void
tally_add(struct tally *tally, enum outcome outcome, uint64_t begin_us,
    uint64_t first_us, uint64_t end_us)
{
	uint64_t since = tally->last_us != 0 ? tally->last_us : tally->begin_us;

	tally->counts[outcome]++;
	if (end_us - since > tally->stall_us)
		tally->stall_us = end_us - since;
	tally->last_us = end_us;
	if (outcome == OUTCOME_SERVED)
		tally_sample(tally, end_us - begin_us,
		    first_us == 0 ? end_us - begin_us : first_us - begin_us);
}

static int
tally_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The smallest sample that at least per_mille of all do not exceed. */
static unsigned int
tally_percentile(const uint32_t *sorted, size_t count, unsigned int per_mille)
{
	size_t rank = (count * per_mille + 999) / 1000;

	return count == 0 ? 0 : sorted[rank == 0 ? 0 : rank - 1];
}

static void
tally_print_percentiles(
    const char *name, uint32_t *samples, size_t count, int json, FILE *file)
{
	static const unsigned int ranks[] = {500, 900, 990, 999, 1000};
	static const char *const names[] = {"p50", "p90", "p99", "p999", "max"};

	if (count > 0)
		qsort(samples, count, sizeof(*samples), tally_compare);
	fprintf(file, json ? ", \"%s\": {" : "%-12s us ", name);
	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		fprintf(file, json ? "%s\"%s\": %u" : "%s%s %u",
		    i == 0   ? "" :
			json ? ", " :
			       "  ",
		    names[i], tally_percentile(samples, count, ranks[i]));
	fputs(json ? "}" : "\n", file);
}

static uint64_t
tally_cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
	    1000000 +
	    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void
tally_print(struct tally *tally, int json, FILE *file)
{
	double seconds = (double)(tally->end_us - tally->begin_us) / 1e6;
	double rate = seconds > 0 ? (double)tally->count / seconds : 0;

	fprintf(file,
	    json ? "{\"started\": %llu, \"outcomes\": {" : "started %llu:",
	    (unsigned long long)tally->started);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (json)
			fprintf(file, "%s\"%s\": %llu", i == 0 ? "" : ", ",
			    outcome_names[i],
			    (unsigned long long)tally->counts[i]);
		else if (tally->counts[i] != 0)
			fprintf(file, " %s %llu", outcome_names[i],
			    (unsigned long long)tally->counts[i]);
	if (tally->counts[OUTCOME_ERROR] != 0 && !json)
		fprintf(file, " (%s)", strerror(tally->error));
	fprintf(file,
	    json ? "}, \"error\": \"%s\", \"seconds\": %.3f, \"rate\": %.0f, "
		   "\"backlog_full\": %llu, \"stall_us\": %llu, "
		   "\"cpu_us\": %llu" :
		   "\n%s%.3f s, %.0f/s, backlog full %llu times, longest "
		   "stall %llu us, own CPU %llu us\n",
	    json && tally->error != 0 ? strerror(tally->error) : "", seconds,
	    rate, (unsigned long long)tally->retries,
	    (unsigned long long)tally->stall_us,
	    (unsigned long long)tally_cpu_us());
	tally_print_percentiles(json ? "latency_us" : "latency",
	    tally->latencies, tally->count, json, file);
	tally_print_percentiles(json ? "first_byte_us" : "first byte",
	    tally->firsts, tally->count, json, file);
	if (json)
		fputs("}\n", file);
}

int
tally_is_complete(const struct tally *tally)
{
	uint64_t sum = 0;

	for (int i = 0; i < OUTCOME_COUNT; i++)
		sum += tally->counts[i];
	return sum == tally->started;
}

void
tally_done(struct tally *tally)
{
	free(tally->latencies);
	free(tally->firsts);
}
