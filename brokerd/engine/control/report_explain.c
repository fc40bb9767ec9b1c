/* SPDX-License-Identifier: ISC */
/*
 * Explains the condition of a listener in words: what it waits for, why, and
 * what an administrator can do.  Engine, unprivileged.
 */
#include "engine/control/explain.h"

#include "base/clock.h"
#include "engine/listener/admission.h"
#include "engine/pool/vitals.h"

#include <errno.h>
#include <string.h>

/* The beginning of a sentence. */
static const char *
explain_absence(const struct listener *listener)
{
	return vitals_count(listener->pool, SILENCE_STUCK) > 0 ?
	    "No worker answers" :
	    "There is no worker";
}

static void
explain_absent(const struct listener *listener, json_t *lines)
{
	unsigned int limit = listener->record->give_up_s;

	report_add_line(lines, "%s: connections have waited%s for %llu s.",
	    explain_absence(listener),
	    listener->admission == NULL ? " in the kernel" : "",
	    (unsigned long long)(clock_ms() - listener->absence.since_ms) /
		1000);
	if (limit == 0)
		report_add_line(lines,
		    "They wait without a time limit, since give-up is 0.");
	else
		report_add_line(lines,
		    "After %u s (give-up) they are refused until there is a "
		    "worker.",
		    limit);
}

static void
explain_open(const struct listener *listener, json_t *lines)
{
	if (listener_is_lent(listener))
		report_add_line(lines,
		    "Its sockets are lent: connections and datagrams wait "
		    "there for the programs that have the sockets.");
	else if (pool_has_worker(listener->pool))
		report_add_line(
		    lines, "It accepts connections and hands them off.");
	else
		report_add_line(lines,
		    "%s: the first connection will wait in the kernel.",
		    explain_absence(listener));
}

static void
explain_state(const struct listener *listener, json_t *lines)
{
	const struct record_endpoint *record = listener->record;

	if (TAILQ_EMPTY(&listener->endpoints))
		return;
	switch (listener->state) {
	case LISTENER_STOPPED:
		report_add_line(
		    lines, "It accepts nothing: this engine is ending.");
		return;
	case LISTENER_OPEN:
		explain_open(listener, lines);
		return;
	case LISTENER_WAITING:
		if (listener->absence.since_ms != 0)
			explain_absent(listener, lines);
		else if (listener->admission != NULL)
			report_add_line(lines,
			    "No worker has room.  \"brokerctl workers\" shows "
			    "how many connections each has, and how many it "
			    "may have.");
		else
			report_add_line(lines,
			    "Connections wait in the kernel: no worker has "
			    "room.  \"brokerctl workers\" shows how many "
			    "connections each has, and how many it may have.");
		return;
	case LISTENER_REFUSING:
		report_add_line(lines,
		    "Connections are refused: there was no worker for %u s "
		    "(give-up).  They are handed off as soon as there is one.",
		    record->give_up_s);
		return;
	case LISTENER_RESTING:
		report_add_line(lines,
		    "Connections wait in the kernel: accepting failed and is "
		    "tried again within a second.  The log has the cause.");
		return;
	case LISTENER_PAUSED:
		report_add_line(lines,
		    "Connections wait in the kernel for as long as the "
		    "listener is paused.  \"brokerctl resume %s\" ends that.",
		    record->listener);
		return;
	}
}

static void
explain_error(const struct finder *finder, json_t *lines)
{
	const struct mailbox_error *last = &finder->errors.last;

	if (last->error == 0)
		return;
	report_add_line(lines, "%s%s could not be used %llu s ago: %s: %s.",
	    finder->directory, last->name,
	    (unsigned long long)(clock_ms() - last->at_ms) / 1000,
	    strerror(last->error),
	    last->name[0] == '\0' && last->error == ENOENT ?
		"workers need this directory" :
		mailbox_error_advice(last->error, last->found));
}

json_t *
report_explain(
    const struct control_context *context, const struct listener *listener)
{
	json_t *lines = json_array(), *all;
	uint64_t held = listener->stats->held -
	    (listener->admission == NULL ? 0 : listener->admission->ring.count);

	vitals_look(listener->pool);
	explain_state(listener, lines);
	explain_sources(listener, lines);
	explain_refused(context, listener, lines);
	explain_sockets(listener, lines);
	explain_workers(listener, lines);
	if (held != 0)
		report_add_line(lines,
		    "The engine holds connections that a worker returned or "
		    "had no room for: %llu.",
		    (unsigned long long)held);
	if (listener->pool->finder.watcher.limited)
		report_add_line(lines,
		    "A new worker is found within a second, not at once: %s.",
		    watch_advice(listener->pool->context->watch));
	explain_error(&listener->pool->finder, lines);
	all = report_status_of(context, listener);
	json_object_set_new(
	    all, "name", json_string(listener->record->listener));
	json_object_set_new(
	    all, "state", json_string(listener_state_name(listener)));
	json_object_set_new(all, "text", lines);
	return all;
}
