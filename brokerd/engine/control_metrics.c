/* SPDX-License-Identifier: ISC */
/*
 * The counters as Prometheus reads them.  Engine, unprivileged.
 */
#include "engine/control_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One bank after the other is added up: once for each listener, not for each
 * counter of it. */
static struct stats_listener *
metrics_sums(const struct control *control, size_t count)
{
	struct stats_listener *sums = calloc(count + 1, sizeof(*sums));
	const struct listener *listener;
	size_t i = 0;

	if (sums != NULL)
		TAILQ_FOREACH (listener, control->listeners, entry)
			stats_sum(&control->core->stats,
			    listener->record->listener, &sums[i++]);
	return sums;
}

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

char *
control_metrics(const struct control *control)
{
	const struct listener *listener;
	struct stats_listener *sums;
	char *text = NULL;
	size_t size, count = 0;
	FILE *file;

	TAILQ_FOREACH (listener, control->listeners, entry)
		count++;
	sums = metrics_sums(control, count);
	file = sums == NULL ? NULL : open_memstream(&text, &size);
	if (file != NULL) {
		for (const struct control_counter *counter = control_counters;
		     counter->name != NULL; counter++)
			metrics_counter(file, counter, sums, count);
		metrics_gauges(file, control);
		if (fclose(file) != 0) {
			free(text);
			text = NULL;
		}
	}
	free(sums);
	return text;
}
