/* SPDX-License-Identifier: ISC */
/*
 * The kernel's queues in the text format of Prometheus, and who was lent the
 * sockets.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "base/clock.h"

#define QUEUES_LISTENERS 64 /* in a step */

enum queues_metric {
	QUEUES_WAITS,
	QUEUES_SIZE,
	QUEUES_LIMIT,
	QUEUES_DROPPED,
	QUEUES_UNTAKEN,
	QUEUES_HOLDERS,
	QUEUES_METRICS,
};

static const struct {
	const char *name, *end, *type, *description;
} queues_metrics[] = {
    [QUEUES_WAITS] = {"queue_waits", "", "gauge",
	"Whether something waits in the kernel's queue"},
    [QUEUES_SIZE] = {"queue", "", "gauge",
	"Connections, or bytes of datagrams, in the kernel's queue"},
    [QUEUES_LIMIT] = {"queue_limit", "", "gauge",
	"Limit of the kernel's queue"},
    [QUEUES_DROPPED] = {"queue_dropped", "_total", "counter",
	"What the kernel dropped: its queue was full"},
    [QUEUES_UNTAKEN] = {"untaken_seconds", "", "gauge",
	"Time that clients of a lent socket wait and none is taken"},
    [QUEUES_HOLDERS] = {"holder_seconds", "", "gauge",
	"Time since the sockets were lent to a process that lives"},
};

/* A text that may have any bytes.  Prometheus reads nothing at all if one label
 * is not UTF-8. */
static void
queues_label(FILE *file, const char *name, const char *text)
{
	json_t *label = report_text(text);

	fprintf(file, "%s=", name);
	json_dumpf(label, file, JSON_ENCODE_ANY);
	json_decref(label);
}

static void
queues_holders(FILE *file, const struct listener *listener)
{
	struct borrower_view views[BORROWERS_MAX], *view = views;
	size_t count = listener_is_lent(listener) ?
	    borrower_list_living(listener->pool, views) :
	    0;

	for (; count-- > 0; view++) {
		fprintf(file, "portbroker_holder_seconds{");
		queues_label(file, "listener", listener->record->listener);
		fprintf(file, ",pid=\"%d\",", (int)view->pid);
		queues_label(file, "program", view->program);
		fprintf(file, "} %llu\n",
		    (unsigned long long)(clock_ms() - view->since_ms) / 1000);
	}
}

/* Writes one value of a socket, unless it is not known.  The kernel has been
 * asked for the first metric. */
static void
queues_endpoint(
    FILE *file, size_t which, const struct listener_endpoint *endpoint)
{
	const struct socket_queue *queue = &endpoint->queue;
	uint64_t since = endpoint->untaken.since_ms;
	const struct {
		int is_known;
		unsigned long long number;
	} values[] = {
	    [QUEUES_WAITS] = {1, (unsigned int)queue->waits},
	    [QUEUES_SIZE] = {queue->is_known, queue->size},
	    [QUEUES_LIMIT] = {queue->is_known, queue->limit},
	    [QUEUES_DROPPED] = {queue->counts_drops, queue->drops},
	    [QUEUES_UNTAKEN] = {endpoint->untaken.arrival != NULL,
		since == 0 ? 0 : (clock_ms() - since) / 1000},
	};

	if (!values[which].is_known)
		return;
	fprintf(file, "portbroker_%s%s{", queues_metrics[which].name,
	    queues_metrics[which].end);
	queues_label(file, "listener", endpoint->record->listener);
	queues_label(file, ",endpoint", endpoint->record->socket.name);
	fprintf(file, "} %llu\n", values[which].number);
}

static void
queues_listener(FILE *file, size_t which, const struct listener *listener)
{
	struct listener_endpoint *endpoint;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		if (which == QUEUES_WAITS)
			listener_endpoint_ask(endpoint);
		queues_endpoint(file, which, endpoint);
	}
}

enum report_step
report_queues(struct report *report, size_t which)
{
	const struct listener *first = TAILQ_FIRST(report->context->listeners);
	const struct listener *listener = report->listener;

	if (which == QUEUES_METRICS)
		return REPORT_DONE;
	if (listener == first)
		report_metric_head(report->file, queues_metrics[which].name,
		    queues_metrics[which].end, queues_metrics[which].type,
		    queues_metrics[which].description);
	for (int i = 0; i < QUEUES_LISTENERS && listener != NULL; i++) {
		if (which == QUEUES_HOLDERS)
			queues_holders(report->file, listener);
		else
			queues_listener(report->file, which, listener);
		listener = TAILQ_NEXT(listener, entry);
	}
	report->listener = listener == NULL ? first : listener;
	report->done += listener == NULL;
	return REPORT_MORE;
}
