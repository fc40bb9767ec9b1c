/* SPDX-License-Identifier: ISC */
/*
 * The counters as Prometheus reads them.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_SUMS 64

static void
metrics_counter(FILE *file, const struct control_counter *counter,
    const struct stats_listener *sums, size_t count)
{
	const char *end = counter->gauge ? "" : "_total";
	uint64_t value;

	fprintf(file, "# HELP portbroker_%s%s %s\n# TYPE portbroker_%s%s %s\n",
	    counter->name, end, counter->description, counter->name, end,
	    counter->gauge ? "gauge" : "counter");
	for (size_t i = 0; i < count; i++) {
		memcpy(&value, (const char *)&sums[i] + counter->offset,
		    sizeof(value));
		fprintf(file, "portbroker_%s%s{listener=\"%s\"} %llu\n",
		    counter->name, end, sums[i].name,
		    (unsigned long long)value);
	}
}

/* What is no counter of the shared memory. */
static void
metrics_gauges(FILE *file, const struct control *control)
{
	const struct listener *listener;

	fputs("# HELP portbroker_workers Workers of a listener\n"
	      "# TYPE portbroker_workers gauge\n",
	    file);
	TAILQ_FOREACH (listener, control->listeners, entry)
		fprintf(file, "portbroker_workers{listener=\"%s\"} %zu\n",
		    listener->record->listener,
		    pool_count_workers(listener->pool));
	fputs("# HELP portbroker_state State of a listener\n"
	      "# TYPE portbroker_state gauge\n",
	    file);
	TAILQ_FOREACH (listener, control->listeners, entry)
		fprintf(file,
		    "portbroker_state{listener=\"%s\",state=\"%s\"} 1\n",
		    listener->record->listener, listener_state_name(listener));
}

static size_t
metrics_count(const struct control *control)
{
	const struct listener *listener;
	size_t count = 0;

	TAILQ_FOREACH (listener, control->listeners, entry)
		count++;
	return count;
}

/* First the sums of all listeners, some of them a step, and then each counter
 * of all in a step: a collector wants them together. */
enum control_step
control_metrics_step(struct control_report *report)
{
	size_t counter;

	if (report->sums == NULL) {
		report->count = metrics_count(report->control);
		report->sums = calloc(report->count + 1, sizeof(*report->sums));
		if (report->sums == NULL)
			return CONTROL_FAILED;
	}
	for (int i = 0; i < METRICS_SUMS && report->listener != NULL; i++) {
		stats_sum(&report->control->core->stats,
		    report->listener->record->listener,
		    &report->sums[report->done++]);
		report->listener = TAILQ_NEXT(report->listener, entry);
	}
	if (report->listener != NULL)
		return CONTROL_MORE;
	counter = report->done++ - report->count;
	if (control_counters[counter].name != NULL) {
		metrics_counter(report->file, &control_counters[counter],
		    report->sums, report->count);
		return CONTROL_MORE;
	}
	metrics_gauges(report->file, report->control);
	return CONTROL_DONE;
}
