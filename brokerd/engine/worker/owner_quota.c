/* SPDX-License-Identifier: ISC */
/*
 * What the workers of one owner use up of what the engine has for all: the
 * descriptors that may be in flight, which the kernel counts for the engine's
 * user, and the table of open files, where a duplicate waits for each receipt.
 * Engine, unprivileged.  An owner that has too much waits alone.
 */
#include "engine/worker/owner_quota.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/handoff/fd_reserve.h"
#include "engine/handoff/persistent.h"
#include "engine/policy/quota.h"
#include "engine/worker/worker.h"

#include <stdio.h>
#include <stdlib.h>

#define OWNER_QUOTA_DELAY_US 10000 /* until it is asked again, at first */
#define OWNER_QUOTA_DELAY_MAX_US 250000
#define OWNER_QUOTA_LOG_MS 1000 /* a shorter wait is not logged */
#define OWNER_QUOTA_FDS 4       /* of a worker: its mailbox, its link */
#define OWNER_QUOTA_LINK_FDS 2  /* of each further connection */

static uint64_t
owner_quota_duplicates(const struct owner_quota *quota)
{
	const struct worker *worker;
	uint64_t count = 0;

	TAILQ_FOREACH (worker, &quota->workers, owner_entry)
		count += worker->unreceipted.count + worker->outbox_count;
	return count;
}

/* At most so many are unread, as far as is known without asking. */
static uint64_t
owner_quota_sent(const struct owner_quota *quota)
{
	uint64_t count = owner_quota_duplicates(quota);
	const struct worker *worker;

	TAILQ_FOREACH (worker, &quota->workers, owner_entry)
		count += worker->links.count + worker->silence.reading.count;
	return count;
}

static uint64_t
owner_quota_unread(struct worker *worker)
{
	return worker->outbox_count + worker->links.count +
	    reading_unread(&worker->silence.reading,
		mailbox_queued(&worker->mailbox), worker->unreceipted.count,
		worker->kind == WORKER_RECEIPTED ? FDRECV_WIRE_BATCH_MAX : 1);
}

void
owner_quota_count(struct owner_quota *quota)
{
	struct worker *worker;

	quota->unread = 0;
	TAILQ_FOREACH (worker, &quota->workers, owner_entry)
		quota->unread += owner_quota_unread(worker);
	quota->held = owner_quota_duplicates(quota);
}

/* Claims cannot be more than what is in flight and not known. */
static void
owner_quotas_settle(struct owner_quotas *quotas)
{
	const struct in_flight *flight = &quotas->in_flight;
	uint64_t unknown = 0, claimed = 0, known = 0;
	struct owner_quota *quota;

	TAILQ_FOREACH (quota, &quotas->head, entry)
		claimed += quota->claimed;
	if (claimed == 0)
		return;
	TAILQ_FOREACH (quota, &quotas->head, entry) {
		owner_quota_count(quota);
		known += quota->unread;
	}
	if (quotas->left < IN_FLIGHT_MOST &&
	    quotas->left + known < flight->limit + 1)
		unknown = flight->limit + 1 - quotas->left - known;
	if (claimed <= unknown)
		return;
	TAILQ_FOREACH (quota, &quotas->head, entry)
		quota->claimed = quota->claimed * unknown / claimed;
}

/* When much less is left than when allowances were given, these are void. */
static void
owner_quotas_measure(struct owner_quotas *quotas)
{
	struct owner_quota *quota;

	quotas->left = in_flight_left(&quotas->in_flight);
	quotas->granted = 0;
	if (quotas->left > quotas->most)
		quotas->most = quotas->left;
	if (quotas->left < quotas->most / 2) {
		quotas->most = quotas->left;
		TAILQ_FOREACH (quota, &quotas->head, entry)
			quota->allowance = 0;
	}
	owner_quotas_settle(quotas);
}

static uint64_t
owner_quota_next_in_flight(struct owner_quota *quota)
{
	struct owner_quotas *quotas = quota->quotas;
	uint64_t sent = owner_quota_sent(quota);

	if (quotas->granted < quotas->left / 2 &&
	    sent + quota->claimed < quotas->left / 4)
		return quota_next(quotas->left, 0, 0, quotas->count);
	owner_quotas_measure(quotas);
	owner_quota_count(quota);
	persistent_set_unread(
	    quotas->persistent, quota->uid, quota->unread + quota->claimed);
	return quota_next(
	    quotas->left, quota->unread, quota->claimed, quotas->count);
}

static uint64_t
owner_quota_next_held(struct owner_quota *quota)
{
	struct fd_reserve *reserve = quota->quotas->reserve;
	uint64_t held = owner_quota_duplicates(quota);

	return quota_next(
	    fd_reserve_left(reserve, held * 4), held, 0, quota->quotas->count);
}

static int
owner_quota_refill(struct owner_quota *quota)
{
	uint64_t allowance = owner_quota_next_in_flight(quota), held;

	quota->lack = quota->unread + quota->claimed == 0 ? OWNER_QUOTA_OTHERS :
							    OWNER_QUOTA_UNREAD;
	if (allowance > 0) {
		quota->lack = OWNER_QUOTA_HELD;
		held = owner_quota_next_held(quota);
		allowance = held < allowance ? held : allowance;
	}
	quota->allowance = allowance;
	quota->quotas->granted += allowance;
	return allowance > 0;
}

static void
owner_quota_wait(struct owner_quota *quota)
{
	owner_quota_count(quota);
	quota->since_ms = clock_ms();
	quota->waits++;
	quota->delay_us = OWNER_QUOTA_DELAY_US;
	timer_set(&quota->retry, quota->delay_us);
}

void
owner_quota_on_refused(struct owner_quota *quota)
{
	quota->allowance = 0;
	quota->quotas->left = 0;
	if (quota->since_ms != 0)
		return;
	quota->lack = OWNER_QUOTA_OTHERS;
	owner_quota_wait(quota);
}

int
owner_quota_has_room(struct owner_quota *quota)
{
	if (quota->allowance > 0)
		return 1;
	if (quota->since_ms != 0)
		return 0;
	if (owner_quota_refill(quota))
		return 1;
	owner_quota_wait(quota);
	return 0;
}

void
owner_quota_hasten(struct owner_quota *quota)
{
	if (quota->since_ms == 0 || quota->delay_us == OWNER_QUOTA_DELAY_US)
		return;
	quota->delay_us = OWNER_QUOTA_DELAY_US;
	timer_set(&quota->retry, quota->delay_us);
}

/* The text has no full stop. */
void
owner_quota_describe(const struct owner_quota *quota, char *text, size_t size)
{
	unsigned long long unread = quota->unread + quota->claimed;

	switch (quota->lack) {
	case OWNER_QUOTA_UNREAD:
		snprintf(text, size,
		    "owner %u has %llu descriptors in mailboxes that nobody "
		    "reads, and more than its share: its workers get no more "
		    "until they read",
		    quota->uid, unread);
		return;
	case OWNER_QUOTA_HELD:
		snprintf(text, size,
		    "owner %u has %llu connections that its workers have not "
		    "confirmed, and more than its share: they get no more "
		    "until they confirm",
		    quota->uid, (unsigned long long)quota->held);
		return;
	case OWNER_QUOTA_OTHERS:
		snprintf(text, size,
		    "workers of owner %u wait for others: all %llu "
		    "descriptors that the engine's user may have in flight "
		    "are in mailboxes that nobody reads; as root, brokerctl "
		    "status names these",
		    quota->uid,
		    (unsigned long long)quota->quotas->in_flight.limit);
		return;
	}
}

static void
owner_quota_log(struct owner_quota *quota)
{
	char text[OWNER_QUOTA_TEXT];

	owner_quota_describe(quota, text, sizeof(text));
	log_line(quota->quotas->log, LOG_WARNING, "%s", text);
	quota->is_logged = 1;
}

static void
owner_quota_free(struct owner_quota *quota)
{
	TAILQ_REMOVE(&quota->quotas->head, quota, entry);
	quota->quotas->count--;
	timer_done(&quota->retry);
	link_share_done(&quota->links);
	free(quota);
}

static void
owner_quota_on_retry(void *owner)
{
	struct owner_quota *quota = owner;
	uint64_t waited_ms = clock_ms() - quota->since_ms;
	struct worker *worker;

	if (!owner_quota_refill(quota)) {
		if (waited_ms >= OWNER_QUOTA_LOG_MS && !quota->is_logged)
			owner_quota_log(quota);
		if (quota->delay_us < OWNER_QUOTA_DELAY_MAX_US)
			quota->delay_us *= 2;
		timer_set(&quota->retry, quota->delay_us);
		return;
	}
	if (quota->is_logged)
		log_line(quota->quotas->log, LOG_NOTICE,
		    "owner %u has its share again after %llu ms: its workers "
		    "get connections",
		    quota->uid, (unsigned long long)waited_ms);
	quota->is_logged = 0;
	quota->since_ms = 0;
	if (quota->worker_count == 0 && quota->claimed == 0)
		owner_quota_free(quota);
	else
		TAILQ_FOREACH (worker, &quota->workers, owner_entry)
			timer_set(&worker->rest, 0); /* on_room follows */
}

static struct owner_quota *
owner_quota_new(struct owner_quotas *quotas, uid_t uid)
{
	struct owner_quota *quota = calloc(1, sizeof(*quota));

	if (quota == NULL)
		return NULL;
	TAILQ_INIT(&quota->workers);
	quota->quotas = quotas;
	quota->uid = uid;
	quota->claimed = persistent_unread(quotas->persistent, uid);
	if (quota->claimed > IN_FLIGHT_MOST)
		quota->claimed = IN_FLIGHT_MOST;
	if (timer_init(&quota->retry, quotas->base, owner_quota_on_retry,
		quota) == -1 ||
	    link_share_init(&quota->links, quotas->base, quotas->log,
		effort_for(&quotas->efforts, uid), uid) == -1) {
		timer_done(&quota->retry);
		free(quota);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&quotas->head, quota, entry);
	quotas->count++;
	return quota;
}

static struct owner_quota *
owner_quotas_find(const struct owner_quotas *quotas, uid_t uid)
{
	struct owner_quota *quota;

	TAILQ_FOREACH (quota, &quotas->head, entry)
		if (quota->uid == uid)
			return quota;
	return NULL;
}

/* It may have three times as many as are left for all others.  The reserve does
 * not see what workers take, so the kernel is asked. */
int
owner_quotas_may_join(const struct owner_quotas *quotas, uid_t uid)
{
	const struct owner_quota *quota = owner_quotas_find(quotas, uid);
	uint64_t fds = quota == NULL ? 0 : quota->worker_count;
	uint64_t more = fds == 0 ? 0 : quota->links.count;

	more -= fds < more ? fds : more;
	fds = fds * OWNER_QUOTA_FDS + more * OWNER_QUOTA_LINK_FDS;
	return fds == 0 ||
	    fds / 3 < fd_reserve_left(quotas->reserve, UINT64_MAX);
}

int
owner_quota_join(struct owner_quotas *quotas, struct worker *worker, uid_t uid)
{
	struct owner_quota *quota = owner_quotas_find(quotas, uid);

	if (quota == NULL)
		quota = owner_quota_new(quotas, uid);
	if (quota == NULL)
		return -1;
	TAILQ_INSERT_TAIL(&quota->workers, worker, owner_entry);
	quota->worker_count++;
	worker->quota = quota;
	return 0;
}

void
owner_quota_leave(struct worker *worker)
{
	struct owner_quota *quota = worker->quota;

	if (quota == NULL)
		return;
	TAILQ_REMOVE(&quota->workers, worker, owner_entry);
	quota->worker_count--;
	quota->claimed += owner_quota_unread(worker);
	worker->quota = NULL;
	if (quota->worker_count == 0 && quota->claimed == 0 &&
	    quota->since_ms == 0)
		owner_quota_free(quota);
}

int
owner_quotas_open(struct owner_quotas *quotas, struct event_base *base,
    struct log *log, struct persistent *persistent, struct fd_reserve *reserve)
{
	*quotas = (struct owner_quotas){.base = base,
	    .log = log,
	    .persistent = persistent,
	    .reserve = reserve};
	TAILQ_INIT(&quotas->head);
	if (in_flight_open(&quotas->in_flight) == -1)
		return -1;
	quotas->left = quotas->most = in_flight_left(&quotas->in_flight);
	if (quotas->left < IN_FLIGHT_MOST &&
	    quotas->left <= quotas->in_flight.limit / 2)
		log_line(log, LOG_NOTICE,
		    "of %llu descriptors that the engine's user may have in "
		    "flight, earlier engines and other processes have about "
		    "%llu: if these stay in mailboxes that nobody reads, "
		    "brokerctl status names the readers to root",
		    (unsigned long long)quotas->in_flight.limit,
		    (unsigned long long)(quotas->in_flight.limit + 1 -
			quotas->left));
	return 0;
}

void
owner_quotas_close(struct owner_quotas *quotas)
{
	struct owner_quota *quota;

	if (quotas->base == NULL)
		return;
	while ((quota = TAILQ_FIRST(&quotas->head)) != NULL)
		owner_quota_free(quota);
	in_flight_close(&quotas->in_flight);
}
