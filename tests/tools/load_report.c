/* SPDX-License-Identifier: ISC */
/*
 * The report of the load generator: text, or one JSON object for the tests.
 * Latencies are those of connections that were served; those of slow requests
 * are listed separately.
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
load_report_seconds(const struct load_counts *counts)
{
	return (double)(counts->end_us - counts->begin_us) / 1e6;
}

static double
load_report_rate(const struct load_counts *counts)
{
	double seconds = load_report_seconds(counts);

	return seconds > 0 ?
	    (double)counts->outcomes[OUTCOME_SERVED] / seconds :
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
load_report_text(struct load_counts *counts)
{
	printf("started %llu:", (unsigned long long)counts->started);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (counts->outcomes[i] != 0)
			printf(" %s %llu", outcome_names[i],
			    (unsigned long long)counts->outcomes[i]);
	printf("\n%.3f s, %.0f served/s, longest stall %llu us, own CPU %llu "
	       "us\n",
	    load_report_seconds(counts), load_report_rate(counts),
	    (unsigned long long)counts->stall_us, load_report_cpu_us());
	for (int i = 0; i < LOAD_COUNTS_ERRORS; i++)
		if (counts->errors[i].count != 0)
			printf("error %s%s: %llu\n",
			    strerror(counts->errors[i].error),
			    outcome_errno_is_local(counts->errors[i].error) ?
				" (our own)" :
				"",
			    (unsigned long long)counts->errors[i].count);
	load_report_text_note("backlog full", counts->backlog_full);
	load_report_text_note(
	    "started later than the rate requires", counts->late);
	load_report_text_note(
	    "reset after the complete reply", counts->reset_after_reply);
	load_report_text_note("timed out unconnected", counts->unconnected);
	load_report_text_note(
	    "timed out after the complete reply", counts->timeout_after_reply);
	load_report_text_samples("latency", &counts->latencies);
	load_report_text_samples("first byte", &counts->firsts);
	load_report_text_samples("end of file", &counts->ends);
	load_report_text_samples("slow latency", &counts->slow);
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
load_report_json_errors(const struct load_counts *counts)
{
	const char *comma = "";

	printf("}, \"errors\": [");
	for (int i = 0; i < LOAD_COUNTS_ERRORS; i++) {
		int error = counts->errors[i].error;

		if (counts->errors[i].count == 0)
			continue;
		printf("%s{\"errno\": %d, \"text\": \"%s\", \"local\": %s, "
		       "\"count\": %llu}",
		    comma, error, strerror(error),
		    outcome_errno_is_local(error) ? "true" : "false",
		    (unsigned long long)counts->errors[i].count);
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
load_report_json(struct load_counts *counts)
{
	printf("{\"started\": %llu, \"outcomes\": {",
	    (unsigned long long)counts->started);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		printf("%s\"%s\": %llu", i == 0 ? "" : ", ", outcome_names[i],
		    (unsigned long long)counts->outcomes[i]);
	load_report_json_errors(counts);
	load_report_json_number(
	    "local_errors", load_counts_local_errors(counts));
	load_report_json_number(
	    "reset_after_answer", counts->reset_after_reply);
	load_report_json_number("timeout_unconnected", counts->unconnected);
	load_report_json_number(
	    "timeout_after_answer", counts->timeout_after_reply);
	load_report_json_number("backlog_full", counts->backlog_full);
	load_report_json_number("late_starts", counts->late);
	printf(", \"seconds\": %.6f, \"rate\": %.1f",
	    load_report_seconds(counts), load_report_rate(counts));
	load_report_json_number("begin_us", counts->begin_us);
	load_report_json_number("stall_us", counts->stall_us);
	load_report_json_number("stall_begin_us", counts->stall_at_us);
	load_report_json_number("cpu_us", load_report_cpu_us());
	load_report_json_samples("latency_us", &counts->latencies);
	load_report_json_samples("first_byte_us", &counts->firsts);
	load_report_json_samples("end_of_file_us", &counts->ends);
	load_report_json_samples("slow_latency_us", &counts->slow);
	printf(", \"percentiles\": \"exact\"}\n");
}
