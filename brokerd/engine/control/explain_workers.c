/* SPDX-License-Identifier: ISC */
/*
 * Sentences about the workers of a listener.  Engine, unprivileged.
 */
#include "engine/control/explain.h"
#include "engine/control/report_worker_state.h"

#include "base/clock.h"
#include "engine/worker/rendezvous.h"

#define EXPLAIN_LINES 16 /* after which no more workers are named */
#define EXPLAIN_COUNTS_SIZE 256

/* The user and the command that a worker needs. */
static void
explain_start(const struct listener *listener, json_t *lines)
{
	const char *option = listener_is_lent(listener) ? "" : "--each ";
	const char *name = listener->record->listener;
	uint32_t uid = listener->pool->finder.uid;

	if (uid == RECORD_NO_ID)
		report_add_line(lines,
		    "Any user may start a worker: one that uses fdrecv(3), or "
		    "\"fdrecv-exec %s%s -- PROGRAM\".",
		    option, name);
	else
		report_add_line(lines,
		    "Start a worker as uid %u: one that uses fdrecv(3), or "
		    "\"setpriv --reuid=%u --regid=%u --clear-groups "
		    "fdrecv-exec %s%s -- PROGRAM\".",
		    uid, uid, uid, option, name);
}

/* "2 ready, 1 stuck" */
static void
explain_counts(
    const unsigned int counts[REPORT_WORKER_STATES], char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 0; i < REPORT_WORKER_STATES && used < size; i++)
		if (counts[i] > 0)
			used += (size_t)snprintf(text + used, size - used,
			    "%s%u %s", used == 0 ? "" : ", ", counts[i],
			    report_worker_state_name(
				(enum report_worker_state)i));
}

static void
explain_states(const struct listener *listener, json_t *lines)
{
	unsigned int counts[REPORT_WORKER_STATES] = {0}, count = 0;
	const struct pool *pool = listener->pool;
	const struct worker *worker, *left = NULL;
	char text[EXPLAIN_COUNTS_SIZE];

	TAILQ_FOREACH (worker, &pool->workers, entry) {
		counts[report_worker_state(worker)]++;
		count += !worker->unlinked;
		if (worker->has_left && worker->conns.count == 0)
			left = worker;
	}
	explain_counts(counts, text, sizeof(text));
	if (count > 0)
		report_add_line(
		    lines, "Workers at %s: %s.", pool->finder.path, text);
	else if (listener_is_lent(listener))
		report_add_line(lines,
		    "There is no mailbox at %s: programs started by "
		    "fdrecv-exec need none.",
		    pool->finder.path);
	else
		report_add_line(lines, "There is no usable mailbox at %s.",
		    pool->finder.path);
	if (count == 0)
		explain_start(listener, lines);
	if (left != NULL)
		report_add_line(lines,
		    "The process of worker %s has ended, but another one, such "
		    "as its child, keeps the mailbox open: it gets nothing "
		    "until that process uses the mailbox itself or ends.",
		    left->name);
}

static int
explain_is_owner(const struct pool *pool, const struct owner_quota *quota)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker->quota == quota)
			return 1;
	return 0;
}

/* Most pools have workers of one owner. */
static void
explain_owners(const struct pool *pool, json_t *lines)
{
	const struct owner_quotas *quotas = pool->context->workers->quotas;
	struct owner_quota *quota;
	char text[OWNER_QUOTA_TEXT];

	TAILQ_FOREACH (quota, &quotas->head, entry) {
		if (quota->since_ms == 0 || !explain_is_owner(pool, quota))
			continue;
		owner_quota_count(quota);
		owner_quota_describe(quota, text, sizeof(text));
		report_add_line(lines, "For %llu s, %s.",
		    (unsigned long long)(clock_ms() - quota->since_ms) / 1000,
		    text);
	}
}

/* Those that could send receipts, and do not. */
static void
explain_unreachable(const struct pool *pool, json_t *lines)
{
	const struct worker *worker, *silent = NULL;
	unsigned int count = 0;

	TAILQ_FOREACH (worker, &pool->workers, entry) {
		if (worker->kind != WORKER_PLAIN || !worker->knows_receipts ||
		    worker->shared || worker->has_left)
			continue;
		silent = worker;
		count++;
	}
	if (count > 0)
		report_add_line(lines,
		    "Workers that send no receipts, as they cannot reach %s: "
		    "%u, such as %s.  If they die, their connections are lost; "
		    "see fdrecv(3).",
		    pool->context->rendezvous->path, count, silent->name);
}

static void
explain_silent(const struct worker *worker, json_t *lines)
{
	unsigned long long seconds = report_worker_oldest_ms(worker) / 1000;
	const char *death = worker->kind == WORKER_PLAIN ?
	    "the connections in its mailbox are lost" :
	    "the connections that it has not touched go to other workers";

	switch (report_worker_state(worker)) {
	case REPORT_WORKER_LATE:
		report_add_line(lines,
		    "Worker %s has not answered for %llu s: it gets no "
		    "connections while another worker answers.",
		    worker->name, seconds);
		return;
	case REPORT_WORKER_BUSY:
		report_add_line(lines,
		    "Worker %s took a connection %llu s ago and has not come "
		    "back from it: it hangs, or serves a long connection.  It "
		    "gets no more until it comes back.",
		    worker->name, seconds);
		return;
	case REPORT_WORKER_STUCK:
		report_add_line(lines,
		    "Worker %s has not read its mailbox for %llu s: it gets "
		    "no more until it does.  If it is killed, %s.",
		    worker->name, seconds, death);
		return;
	case REPORT_WORKER_DEAD:
		report_add_line(lines,
		    "The process of worker %s has died: start it again.",
		    worker->name);
		return;
	case REPORT_WORKER_PAUSED:
	case REPORT_WORKER_DRAINING:
	case REPORT_WORKER_LEFT:
	case REPORT_WORKER_LEAVING:
		if (seconds > 0)
			report_add_line(lines,
			    "Worker %s gets no more, and has not answered for "
			    "%llu s: clients of the connections that it has "
			    "wait.",
			    worker->name, seconds);
		return;
	case REPORT_WORKER_READY:
	case REPORT_WORKER_FULL:
	case REPORT_WORKER_OVER_SHARE:
	case REPORT_WORKER_STATES:
		return;
	}
}

void
explain_workers(const struct listener *listener, json_t *lines)
{
	const struct worker *worker;

	explain_states(listener, lines);
	explain_owners(listener->pool, lines);
	explain_unreachable(listener->pool, lines);
	TAILQ_FOREACH (worker, &listener->pool->workers, entry)
		if (json_array_size(lines) < EXPLAIN_LINES)
			explain_silent(worker, lines);
}
