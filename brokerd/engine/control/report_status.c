/* SPDX-License-Identifier: ISC */
/*
 * The report about the broker and its listeners.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "base/clock.h"
#include "config.h"
#include "engine/listener/admission.h"
#include "engine/pool/vitals.h"

#include <sys/stat.h>

#include <unistd.h>

#define STATUS_LISTENERS 16 /* in a step, which takes about a millisecond */

static json_t *
status_number(int is_known, uint32_t number)
{
	return is_known ? json_integer(number) : json_null();
}

static json_t *
status_queue(struct listener_endpoint *endpoint)
{
	uint64_t since = listener_endpoint_ask(endpoint);
	const struct socket_queue *queue = &endpoint->queue;

	return json_pack("{s:b, s:o, s:o, s:s, s:o, s:o}", "waits",
	    queue->waits, "size", status_number(queue->is_known, queue->size),
	    "limit", status_number(queue->is_known, queue->limit), "unit",
	    socket_queue_unit(&endpoint->record->socket), "dropped",
	    status_number(queue->counts_drops, queue->drops), "untaken_ms",
	    since == 0 ? json_null() :
			 json_integer((json_int_t)(clock_ms() - since)));
}

static json_t *
status_endpoints(const struct listener *listener)
{
	json_t *all = json_array();
	struct listener_endpoint *endpoint;
	struct stat st;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		if (fstat(endpoint->fd, &st) == -1)
			continue;
		json_array_append_new(all,
		    json_pack("{s:o, s:I, s:I, s:o}", "name",
			report_text(endpoint->record->socket.name), "inode",
			(json_int_t)st.st_ino, "device", (json_int_t)st.st_dev,
			"queue", status_queue(endpoint)));
	}
	TAILQ_FOREACH (endpoint, &listener->unbound, entry)
		json_array_append_new(all,
		    json_pack("{s:o, s:n, s:n, s:s}", "name",
			report_text(endpoint->record->socket.name), "inode",
			"device", "error", listener_endpoint_error(endpoint)));
	return all;
}

static json_t *
status_holders(const struct listener *listener)
{
	struct borrower_view views[BORROWERS_MAX], *view = views;
	json_t *all = json_array();
	size_t count = listener_is_lent(listener) ?
	    borrower_list_living(listener->pool, views) :
	    0;

	for (; count-- > 0; view++)
		json_array_append_new(all,
		    json_pack("{s:o, s:o, s:I, s:I, s:o}", "pid",
			view->pid > 0 ? json_integer(view->pid) : json_null(),
			"program", report_text(view->program), "uid",
			(json_int_t)view->uid, "since_ms",
			(json_int_t)(clock_ms() - view->since_ms), "mailbox",
			view->mailbox == NULL ? json_null() :
						report_text(view->mailbox)));
	return all;
}

static json_t *
status_counters(struct stats *stats, const struct stats_listener *own)
{
	json_t *all = json_object();
	struct stats_listener sum;

	stats_sum(stats, own, &sum);
	for (const struct report_counter *counter = report_counters;
	     counter->name != NULL; counter++)
		json_object_set_new(all, counter->name,
		    json_integer(
			(json_int_t)report_counter_value(counter, &sum)));
	return all;
}

static json_t *
status_listener(const struct listener *listener, struct stats *stats)
{
	const struct record_endpoint *record = listener->record;
	uint64_t now = clock_ms(), absent = listener->absence.since_ms;

	return json_pack(
	    "{s:s, s:s, s:I, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, "
	    "s:o, s:o}",
	    "name", record->listener, "state", listener_state_name(listener),
	    "since_ms", (json_int_t)(now - listener->state_since_ms),
	    "waiting_ms",
	    absent == 0 ? json_null() :
			  json_integer((json_int_t)(now - absent)),
	    "handoff", listener_is_lent(listener) ? "listener" : "connection",
	    "mailbox", report_text(record->mailbox), "workers",
	    (json_int_t)pool_count_workers(listener->pool), "stuck",
	    (json_int_t)vitals_count(listener->pool, SILENCE_STUCK), "busy",
	    (json_int_t)vitals_count(listener->pool, SILENCE_BUSY), "oldest_ms",
	    (json_int_t)(vitals_oldest_us(listener->pool) / 1000),
	    "sources_waiting",
	    (json_int_t)admission_sources(listener->admission), "endpoints",
	    status_endpoints(listener), "holders", status_holders(listener),
	    "counters", status_counters(stats, listener->stats));
}

static json_t *
status_broker(const struct control_context *context)
{
	uint64_t orphan_ms = context->orphan_until_ms;
	const struct pool *pool = TAILQ_FIRST(context->pools);
	const char *watch =
	    pool == NULL ? NULL : watch_advice(pool->context->watch);
	char epoch[17];

	snprintf(epoch, sizeof(epoch), "%016llx",
	    (unsigned long long)context->epoch);
	return json_pack("{s:s, s:o, s:I, s:I, s:s, s:I, s:I, s:s?, s:o}",
	    "version", PACKAGE_VERSION, "monitor",
	    orphan_ms == 0 ? json_integer(getppid()) : json_null(), "engine",
	    (json_int_t)getpid(), "keeper", (json_int_t)context->keeper,
	    "epoch", epoch, "uptime_ms",
	    (json_int_t)(clock_ms() - context->stats->page->head.started_ms),
	    "engine_ms", (json_int_t)(clock_ms() - context->started_ms),
	    "unwatched", watch, "orphan_ms",
	    orphan_ms == 0 ? json_null() :
			     json_integer(clock_left_ms(orphan_ms)));
}

json_t *
report_status_of(
    const struct control_context *context, const struct listener *listener)
{
	return json_pack("{s:o, s:[o]}", "broker", status_broker(context),
	    "listeners", status_listener(listener, context->stats));
}

enum report_step
report_status(struct report *report)
{
	const struct listener *listener = report->listener;

	if (report->done == 0) {
		fputs("{\"broker\": ", report->file);
		if (report_json(report, status_broker(report->context)) == -1)
			return REPORT_FAILED;
		fputs(",\n\"owners\": ", report->file);
		if (report_json(
			report, report_owners(report->context->quotas)) == -1)
			return REPORT_FAILED;
		fputs(",\n\"listeners\": [", report->file);
	}
	for (int i = 0; i < STATUS_LISTENERS && listener != NULL; i++) {
		vitals_look(listener->pool);
		if (report_item(report,
			status_listener(listener, report->context->stats)) ==
		    -1)
			return REPORT_FAILED;
		listener = TAILQ_NEXT(listener, entry);
	}
	report->listener = listener;
	if (listener != NULL)
		return REPORT_MORE;
	fputs("\n]}\n", report->file);
	return REPORT_DONE;
}
