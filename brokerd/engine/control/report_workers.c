/* SPDX-License-Identifier: ISC */
/*
 * The report about workers.  Engine, unprivileged.
 */
#include "engine/control/report.h"
#include "engine/control/report_worker_state.h"

#include "base/clock.h"
#include "engine/pool/vitals.h"

#include <sys/socket.h>

#define WORKERS_LABEL_SIZE 256
#define WORKERS_POOLS 64 /* in a step if they are empty; else one */

static const char *const workers_kinds[] = {
    [WORKER_NEW] = "new",
    [WORKER_PLAIN] = "plain",
    [WORKER_RECEIPTED] = "receipted",
};

const char *
report_worker_state_name(enum report_worker_state state)
{
	static const char *const names[REPORT_WORKER_STATES] = {
	    [REPORT_WORKER_READY] = "ready",
	    [REPORT_WORKER_LATE] = "late",
	    [REPORT_WORKER_BUSY] = "busy",
	    [REPORT_WORKER_STUCK] = "stuck",
	    [REPORT_WORKER_FULL] = "full",
	    [REPORT_WORKER_OVER_SHARE] = "over-share",
	    [REPORT_WORKER_PAUSED] = "paused",
	    [REPORT_WORKER_DRAINING] = "draining",
	    [REPORT_WORKER_LEFT] = "left",
	    [REPORT_WORKER_LEAVING] = "leaving",
	    [REPORT_WORKER_DEAD] = "dead",
	};
	return names[state];
}

uint64_t
report_worker_oldest_ms(const struct worker *worker)
{
	uint64_t since_us = silence_since_us(worker);

	return since_us == 0 ? 0 : (clock_us() - since_us) / 1000;
}

enum report_worker_state
report_worker_state(const struct worker *worker)
{
	enum silence_state silence = worker->silence.state;

	return worker->dead              ? REPORT_WORKER_DEAD :
	    worker->unlinked             ? REPORT_WORKER_LEAVING :
	    worker->has_left             ? REPORT_WORKER_LEFT :
	    silence == SILENCE_STUCK     ? REPORT_WORKER_STUCK :
	    worker->draining             ? REPORT_WORKER_DRAINING :
	    worker->paused               ? REPORT_WORKER_PAUSED :
	    silence == SILENCE_BUSY      ? REPORT_WORKER_BUSY :
	    worker->quota->since_ms != 0 ? REPORT_WORKER_OVER_SHARE :
	    report_worker_oldest_ms(worker) >= REPORT_LATE_MS ?
					   REPORT_WORKER_LATE :
	    worker->full ? REPORT_WORKER_FULL :
			   REPORT_WORKER_READY;
}

/* The process that said HELLO, or null if its pid namespace is not visible
 * from here. */
static json_t *
workers_pid(const struct receipt_conn *conn)
{
	if (conn == NULL || conn->peer.pid <= 0)
		return json_null();
	return json_integer(conn->peer.pid);
}

static json_t *
workers_label(const struct receipt_conn *conn)
{
	char label[WORKERS_LABEL_SIZE + 1];
	socklen_t size = WORKERS_LABEL_SIZE;

	if (conn == NULL || conn->is_link ||
	    getsockopt(conn->fd, SOL_SOCKET, SO_PEERSEC, label, &size) == -1)
		size = 0;
	label[size] = '\0';
	return report_text(label);
}

static json_t *
workers_listeners(const struct report *report)
{
	json_t *all = json_array();
	const struct listener *listener;

	TAILQ_FOREACH (listener, report->context->listeners, entry)
		if (listener->pool == report->pool)
			json_array_append_new(
			    all, json_string(listener->record->listener));
	return all;
}

/* Since its mailbox was bound; the clock may have been set back since then. */
static json_int_t
workers_since_ms(const struct worker *worker)
{
	const struct timespec *bound = &worker->mailbox.bound;
	struct timespec now;
	json_int_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (json_int_t)(now.tv_sec - bound->tv_sec) * 1000 +
	    (now.tv_nsec - bound->tv_nsec) / 1000000;
	return ms < 0 ? 0 : ms;
}

static json_t *
workers_worker(const struct report *report, const struct worker *worker)
{
	const struct receipt_conn *conn = TAILQ_FIRST(&worker->conns.head);
	uint64_t oldest_ms = report_worker_oldest_ms(worker);

	return json_pack("{s:o, s:o, s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:o, "
			 "s:I, s:I, s:o, s:o, s:I, s:o, s:I}",
	    "pool", report_text(report->pool->finder.path), "name",
	    report_text(worker->name), "state",
	    report_worker_state_name(report_worker_state(worker)), "kind",
	    workers_kinds[worker->kind], "shared", worker->shared, "uid",
	    (json_int_t)worker->mailbox.owner, "inode",
	    (json_int_t)worker->mailbox.inode, "device",
	    (json_int_t)worker->mailbox.device, "pid", workers_pid(conn),
	    "label", workers_label(conn), "window",
	    (json_int_t)worker->window.size, "unreceipted",
	    (json_int_t)worker->unreceipted.count, "oldest_ms",
	    oldest_ms == 0 ? json_null() : json_integer((json_int_t)oldest_ms),
	    "connections",
	    worker->counts_connections ? json_integer(worker->connections) :
					 json_null(),
	    "weight", (json_int_t)worker->share.weight, "listeners",
	    workers_listeners(report), "since_ms", workers_since_ms(worker));
}

enum report_step
report_workers(struct report *report)
{
	size_t before = report->done;
	const struct worker *worker;

	if (report->pool == TAILQ_FIRST(report->context->pools))
		fputs("{\"workers\": [", report->file);
	for (int i = 0; i < WORKERS_POOLS && report->pool != NULL &&
	     report->done == before;
	     i++) {
		vitals_look(report->pool);
		TAILQ_FOREACH (worker, &report->pool->workers, entry)
			if (report_item(
				report, workers_worker(report, worker)) == -1)
				return REPORT_FAILED;
		report->pool = TAILQ_NEXT(report->pool, entry);
	}
	if (report->pool != NULL)
		return REPORT_MORE;
	fputs("\n]}\n", report->file);
	return REPORT_DONE;
}
