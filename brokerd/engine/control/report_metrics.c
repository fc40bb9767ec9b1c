/* SPDX-License-Identifier: ISC */
/*
 * The counters in the text format of Prometheus.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "engine/listener/admission.h"
#include "engine/pool/vitals.h"

#include <stdlib.h>

#define METRICS_SUMS 64 /* listeners in a step */

static void
metrics_counter(FILE *file, const struct report_counter *counter,
    const struct stats_listener *sums, size_t count)
{
	const char *end = counter->gauge ? "" : "_total";

	report_metric_head(file, counter->name, end,
	    counter->gauge ? "gauge" : "counter", counter->description);
	for (size_t i = 0; i < count; i++)
		fprintf(file, "portbroker_%s%s{listener=\"%s\"} %llu\n",
		    counter->name, end, sums[i].name,
		    (unsigned long long)report_counter_value(
			counter, &sums[i]));
}

static void
metrics_workers(FILE *file, const struct listener_list *listeners,
    const char *name, enum silence_state state, const char *description)
{
	const struct listener *listener;

	report_metric_head(file, name, "", "gauge", description);
	TAILQ_FOREACH (listener, listeners, entry)
		fprintf(file, "portbroker_%s{listener=\"%s\"} %zu\n", name,
		    listener->record->listener,
		    vitals_count(listener->pool, state));
}

/* The values that are not in the shared memory. */
static void
metrics_gauges(FILE *file, const struct listener_list *listeners)
{
	const struct listener *listener;

	report_metric_head(
	    file, "workers", "", "gauge", "Workers of a listener");
	TAILQ_FOREACH (listener, listeners, entry)
		fprintf(file, "portbroker_workers{listener=\"%s\"} %zu\n",
		    listener->record->listener,
		    pool_count_workers(listener->pool));
	metrics_workers(file, listeners, "workers_stuck", SILENCE_STUCK,
	    "Workers that do not read their mailboxes");
	metrics_workers(file, listeners, "workers_busy", SILENCE_BUSY,
	    "Workers that do not come back from a connection");
	report_metric_head(file, "oldest_unreceipted_seconds", "", "gauge",
	    "Age of the oldest hand-off that no worker has confirmed or read");
	TAILQ_FOREACH (listener, listeners, entry)
		fprintf(file,
		    "portbroker_oldest_unreceipted_seconds{listener=\"%s\"} %llu\n",
		    listener->record->listener,
		    (unsigned long long)vitals_oldest_us(listener->pool) /
			1000000);
	report_metric_head(file, "sources_waiting", "", "gauge",
	    "Sources of which connections wait in the engine");
	TAILQ_FOREACH (listener, listeners, entry)
		fprintf(file,
		    "portbroker_sources_waiting{listener=\"%s\"} %zu\n",
		    listener->record->listener,
		    admission_sources(listener->admission));
	report_metric_head(file, "state", "", "gauge", "State of a listener");
	TAILQ_FOREACH (listener, listeners, entry)
		fprintf(file,
		    "portbroker_state{listener=\"%s\",state=\"%s\"} 1\n",
		    listener->record->listener, listener_state_name(listener));
}

static int
metrics_begin(struct report *report)
{
	const struct listener *listener;

	TAILQ_FOREACH (listener, report->context->listeners, entry)
		report->count++;
	report->sums = calloc(report->count + 1, sizeof(*report->sums));
	return report->sums == NULL ? -1 : 0;
}

static void
metrics_sum(struct report *report)
{
	for (int i = 0; i < METRICS_SUMS && report->listener != NULL; i++) {
		vitals_look(report->listener->pool);
		stats_sum(report->context->stats, report->listener->stats,
		    &report->sums[report->done++]);
		report->listener = TAILQ_NEXT(report->listener, entry);
	}
	if (report->listener == NULL)
		report->listener = TAILQ_FIRST(report->context->listeners);
}

/* Sums up some listeners in a step, then writes one counter of all listeners
 * in a step, because the format wants these together, and then one metric of
 * some queues in a step. */
enum report_step
report_metrics(struct report *report)
{
	size_t next;

	if (report->sums == NULL && metrics_begin(report) == -1)
		return REPORT_FAILED;
	if (report->done < report->count) {
		metrics_sum(report);
		return REPORT_MORE;
	}
	next = report->done - report->count;
	if (next < STATS_COUNTERS) {
		metrics_counter(report->file, &report_counters[next],
		    report->sums, report->count);
		report->done++;
		return REPORT_MORE;
	}
	if (report_queues(report, next - STATS_COUNTERS) == REPORT_MORE)
		return REPORT_MORE;
	metrics_gauges(report->file, report->context->listeners);
	report_owner_metrics(report->file, report->context->quotas);
	return REPORT_DONE;
}
