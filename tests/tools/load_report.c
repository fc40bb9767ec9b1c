/* SPDX-License-Identifier: ISC */
/*
 * What the load generator says in the end: for people, or as one JSON object
 * for the tests.  Latencies are those of connections that were served;
 * requests that asked for slowness are listed apart.
 */
#include "load_report.h"

#include <sys/resource.h>

#include <stdio.h>
#include <string.h>

#define REPORT_RANKS 5

static const unsigned int report_ranks[REPORT_RANKS] = {
    500, 900, 990, 999, 1000};
static const char *const report_names[REPORT_RANKS] = {
    "p50", "p90", "p99", "p999", "max"};

static unsigned long long
load_report_cpu_us(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == -1)
		return 0;
	return (unsigned long long)(usage.ru_utime.tv_sec +
		   usage.ru_stime.tv_sec) *
	    1000000 +
	    (unsigned long long)(usage.ru_utime.tv_usec +
		usage.ru_stime.tv_usec);
}

static double
load_report_seconds(const struct tally *tally)
{
	return (double)(tally->end_us - tally->begin_us) / 1e6;
}

static double
load_report_rate(const struct tally *tally)
{
	double seconds = load_report_seconds(tally);

	return seconds > 0 ? (double)tally->counts[OUTCOME_SERVED] / seconds :
			     0;
}

static void
load_report_text_samples(const char *name, struct samples *samples)
{
	if (samples->count == 0)
		return;
	samples_sort(samples);
	printf("%-12s us:", name);
	for (int i = 0; i < REPORT_RANKS; i++)
		printf(" %s %u", report_names[i],
		    samples_percentile(samples, report_ranks[i]));
	printf(" (exact, of %zu)\n", samples->count);
}

static void
load_report_text_note(const char *text, uint64_t count)
{
	if (count != 0)
		printf("%s: %llu\n", text, (unsigned long long)count);
}

void
load_report_text(struct tally *tally)
{
	printf("started %llu:", (unsigned long long)tally->started);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (tally->counts[i] != 0)
			printf(" %s %llu", outcome_names[i],
			    (unsigned long long)tally->counts[i]);
	printf("\n%.3f s, %.0f served/s, longest stall %llu us, own CPU %llu "
	       "us\n",
	    load_report_seconds(tally), load_report_rate(tally),
	    (unsigned long long)tally->stall_us, load_report_cpu_us());
	for (int i = 0; i < TALLY_ERRORS; i++)
		if (tally->errors[i].count != 0)
			printf("error %s%s: %llu\n",
			    strerror(tally->errors[i].error),
			    outcome_errno_is_local(tally->errors[i].error) ?
				" (our own)" :
				"",
			    (unsigned long long)tally->errors[i].count);
	load_report_text_note("backlog full", tally->backlog_full);
	load_report_text_note("begun later than the rate asked", tally->late);
	load_report_text_note("reset behind a whole answer", tally->cut);
	load_report_text_note("timed out unconnected", tally->unmet);
	load_report_text_note(
	    "timed out behind a whole answer", tally->answered);
	load_report_text_samples("latency", &tally->latencies);
	load_report_text_samples("first byte", &tally->firsts);
	load_report_text_samples("slow latency", &tally->slow);
}

static void
load_report_json_samples(const char *name, struct samples *samples)
{
	samples_sort(samples);
	printf(", \"%s\": {\"count\": %zu", name, samples->count);
	for (int i = 0; i < REPORT_RANKS; i++)
		printf(", \"%s\": %u", report_names[i],
		    samples_percentile(samples, report_ranks[i]));
	printf("}");
}

static void
load_report_json_errors(const struct tally *tally)
{
	const char *comma = "";

	printf("}, \"errors\": [");
	for (int i = 0; i < TALLY_ERRORS; i++) {
		int error = tally->errors[i].error;

		if (tally->errors[i].count == 0)
			continue;
		printf("%s{\"errno\": %d, \"text\": \"%s\", \"local\": %s, "
		       "\"count\": %llu}",
		    comma, error, strerror(error),
		    outcome_errno_is_local(error) ? "true" : "false",
		    (unsigned long long)tally->errors[i].count);
		comma = ", ";
	}
	printf("]");
}

static void
load_report_json_number(const char *name, uint64_t number)
{
	printf(", \"%s\": %llu", name, (unsigned long long)number);
}

void
load_report_json(struct tally *tally)
{
	printf("{\"started\": %llu, \"outcomes\": {",
	    (unsigned long long)tally->started);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		printf("%s\"%s\": %llu", i == 0 ? "" : ", ", outcome_names[i],
		    (unsigned long long)tally->counts[i]);
	load_report_json_errors(tally);
	load_report_json_number("local_errors", tally_local_errors(tally));
	load_report_json_number("reset_after_answer", tally->cut);
	load_report_json_number("timeout_unconnected", tally->unmet);
	load_report_json_number("timeout_after_answer", tally->answered);
	load_report_json_number("backlog_full", tally->backlog_full);
	load_report_json_number("late_starts", tally->late);
	printf(", \"seconds\": %.6f, \"rate\": %.1f",
	    load_report_seconds(tally), load_report_rate(tally));
	load_report_json_number("begin_us", tally->begin_us);
	load_report_json_number("stall_us", tally->stall_us);
	load_report_json_number("stall_begin_us", tally->stall_at_us);
	load_report_json_number("cpu_us", load_report_cpu_us());
	load_report_json_samples("latency_us", &tally->latencies);
	load_report_json_samples("first_byte_us", &tally->firsts);
	load_report_json_samples("slow_latency_us", &tally->slow);
	printf(", \"percentiles\": \"exact\"}\n");
}
