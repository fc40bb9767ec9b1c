/* SPDX-License-Identifier: ISC */
/*
 * The table of sockets.  Engine, unprivileged.  Calls that concern every
 * listener or every pool are made here.
 */
#include "engine/socket_table.h"

#include "base/fd.h"
#include "engine/handoff/ledger.h"
#include "engine/listener/admission.h"
#include "engine/listener/listener_list.h"
#include "engine/pool/dispatch.h"

#include "wire/question.h"

#include <sys/random.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

void
socket_table_init(struct socket_table *table)
{
	*table = (struct socket_table){
	    .watch = {.fd = -1}, .diag = {.fd = -1}, .census = {.fd = -1}};
	TAILQ_INIT(&table->listeners);
	TAILQ_INIT(&table->pools);
	repair_models_read(&table->models);
}

static int
socket_table_open_returns(struct socket_table *table)
{
	const struct ledger *ledger = table->listener_context.bounded->ledger;

	if (returns_init(&table->returns, &table->listener_context,
		&table->listeners) == -1)
		return -1;
	if (ledger != NULL && ledger->returned != -1)
		returns_add(&table->returns, ledger->returned);
	return 0;
}

void
socket_table_open_netlink(struct socket_table *table)
{
	socket_diag_open(&table->diag);
	socket_census_open(&table->census);
}

int
socket_table_open(struct socket_table *table, struct event_base *base,
    struct log *log, struct stats *stats, struct persistent *persistent,
    struct bounded_close *bounded, struct rendezvous *rendezvous)
{
	struct worker_context *workers = &table->worker_context;

	fd_reserve_init(&table->reserve);
	refuse_init(&table->refusals, base, bounded);
	workers->base = base;
	workers->persistent = persistent;
	workers->bounded = bounded;
	workers->quotas = &table->quotas;
	table->pool_context = (struct pool_context){.log = log,
	    .watch = &table->watch,
	    .workers = workers,
	    .rendezvous = rendezvous,
	    .refusals = &table->refusals};
	table->listener_context = (struct listener_context){.base = base,
	    .log = log,
	    .stats = stats,
	    .persistent = persistent,
	    .refusals = &table->refusals,
	    .bounded = bounded,
	    .reserve = &table->reserve,
	    .reserved = &table->reserved,
	    .load = &table->load,
	    .rebind = &table->rebind,
	    .diag = &table->diag,
	    .census = &table->census,
	    .models = &table->models};
	if (receipt_ring_list_init(&workers->rings, base) == -1 ||
	    getrandom(&workers->epoch, sizeof(workers->epoch), 0) !=
		sizeof(workers->epoch))
		return -1;
	watch_open(&table->watch, base, log);
	if (owner_quotas_open(
		&table->quotas, base, log, persistent, &table->reserve) == -1)
		return -1;
	table->requests.channel = CHANNEL_FD;
	if (socket_table_open_returns(table) == -1)
		return -1;
	return rebind_init(
	    &table->rebind, base, &table->requests, log, persistent);
}

int
socket_table_note(struct socket_table *table, uint32_t number, int fd)
{
	errno = EPROTO;
	if (number != table->count)
		return -1;
	table->count++;
	if (fd != -1)
		ledger_pass(table->worker_context.bounded->ledger, fd);
	return 0;
}

/* The listener of that name, which is a new one if there was none. */
static struct listener *
socket_table_find_listener(
    struct socket_table *table, const struct record_endpoint *record)
{
	struct listener *listener =
	    TAILQ_LAST(&table->listeners, listener_list);
	struct pool *pool;

	/* Those of one listener are side by side. */
	if (listener != NULL && listener->record != NULL &&
	    strcmp(listener->record->listener, record->listener) == 0)
		return listener;
	listener = NULL;
	pool = pool_find(&table->pools, &table->pool_context, record->mailbox,
	    record->owner);
	if (pool != NULL)
		listener = listener_new(
		    &table->listener_context, pool, record->listener);
	if (listener != NULL)
		TAILQ_INSERT_TAIL(&table->listeners, listener, entry);
	return listener;
}

/* Limits who may come, if the configuration says so.  0, or -1 with errno. */
static int
socket_table_limit(struct socket_table *table, struct listener *listener)
{
	const struct record_endpoint *record = listener->record;
	struct record_rule *rules;

	if (!(record->source.flags & RECORD_SOURCE_LIMITED) ||
	    listener->admission != NULL)
		return 0;
	if (records_copy_rules(&table->records, record, &rules) == -1)
		return -1;
	listener->admission =
	    admission_new(listener, rules, record->source.rules);
	return listener->admission == NULL ? -1 : 0;
}

int
socket_table_add(struct socket_table *table, struct record_endpoint *record,
    int fd, int error)
{
	struct listener *listener = socket_table_find_listener(table, record);

	if (listener == NULL ||
	    listener_add(listener, record, table->count - 1, fd, error) == -1) {
		fd_close(fd);
		return -1;
	}
	return socket_table_limit(table, listener);
}

void
socket_table_note_own(
    struct socket_table *table, const struct record_socket *sock, int fd)
{
	size_t i = table->own_count;

	if (i == SOCKET_TABLE_OWN)
		return;
	table->own_count++;
	/* At once: connections of the rendezvous are accepted before the start,
	 * and an earlier engine may have wanted to block this one. */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	table->own[i].sock = *sock;
	table->own[i].upkeep = (struct upkeep){.role = "the broker itself",
	    .name = "",
	    .sock = &table->own[i].sock,
	    .fd = fd,
	    .log = table->listener_context.log,
	    .rebind = &table->rebind,
	    .diag = &table->diag};
}

/* Before anything is lent or accepted. */
static void
socket_table_look(struct socket_table *table)
{
	struct listener_endpoint *endpoint;
	const struct repair_models *models = &table->models;
	struct listener *listener;

	for (size_t i = 0; i < table->own_count; i++)
		upkeep_start(&table->own[i].upkeep, NULL, models);
	TAILQ_FOREACH (listener, &table->listeners, entry)
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
			upkeep_start(&endpoint->upkeep,
			    table->listener_context.base, models);
}

void
socket_table_start(struct socket_table *table)
{
	struct listener *listener;
	struct pool *pool;

	socket_table_look(table);
	returns_start(&table->returns);
	TAILQ_FOREACH (pool, &table->pools, entry) {
		borrower_recall(pool);
		finder_scan(&pool->finder);
	}
	TAILQ_FOREACH (listener, &table->listeners, entry)
		listener_start(listener);
}

void
socket_table_on_said(void *owner)
{
	struct socket_table *table = owner;
	struct listener *listener;
	struct pool *pool;

	TAILQ_FOREACH (pool, &table->pools, entry)
		pool_follow(pool);
	TAILQ_FOREACH (listener, &table->listeners, entry)
		listener_follow(listener);
}

struct worker *
socket_table_find_worker(
    struct socket_table *table, const struct hello *hello, uid_t uid)
{
	struct worker *worker = NULL;
	struct pool *pool;

	TAILQ_FOREACH (pool, &table->pools, entry) {
		worker = pool_find_worker(pool, hello, uid);
		if (worker != NULL)
			break;
	}
	return worker;
}

int
socket_table_describe(const struct socket_table *table, const char *name)
{
	const struct listener *listener = TAILQ_FIRST(&table->listeners);

	if (listener == NULL || listener->state == LISTENER_STOPPED)
		return -1;
	listener = listener_list_find(&table->listeners, name);
	if (listener == NULL)
		return FDRECV_WIRE_NONE;
	return listener_is_lent(listener) ? FDRECV_WIRE_LENDS :
					    FDRECV_WIRE_HANDS_OFF;
}

void
socket_table_stop(struct socket_table *table, const struct channel_drain *drain)
{
	struct listener *listener;

	rebind_stop(&table->rebind);
	table->awaits_returns = drain->stop != 0;
	TAILQ_FOREACH (listener, &table->listeners, entry)
		listener_stop(listener, drain);
}

int
socket_table_is_busy(struct socket_table *table)
{
	struct listener *listener;
	struct pool *pool;
	int busy = table->refusals.count != 0;

	/* What an earlier engine that still drains cannot finish comes here,
	 * perhaps a moment after the end of both times, and nobody else would
	 * refuse it. */
	busy |= table->awaits_returns && table->returns.reader_count > 0;
	/* Asks all: listener_is_served() also closes unused sockets. */
	TAILQ_FOREACH (listener, &table->listeners, entry)
		busy |= listener_is_served(listener);
	TAILQ_FOREACH (pool, &table->pools, entry)
		busy |= pool_is_busy(pool);
	return busy;
}

int
socket_table_holds(const struct socket_table *table)
{
	const struct pool *pool;

	TAILQ_FOREACH (pool, &table->pools, entry)
		if (!TAILQ_EMPTY(&pool->held))
			return 1;
	return 0;
}

void
socket_table_give_up(struct socket_table *table)
{
	struct listener *listener;
	struct pool *pool;

	TAILQ_FOREACH (listener, &table->listeners, entry) {
		listener_stop(listener, NULL);
		listener->stats->refused_drain +=
		    dispatch_refuse_held(listener->pool, listener->stats);
	}
	TAILQ_FOREACH (pool, &table->pools, entry)
		pool_release(pool);
}

void
socket_table_done(struct socket_table *table)
{
	struct listener *listener;
	struct pool *pool;

	returns_done(&table->returns);
	/* Hand-offs refer to the records of endpoints. */
	TAILQ_FOREACH (pool, &table->pools, entry)
		pool_clear(pool);
	while ((listener = TAILQ_FIRST(&table->listeners)) != NULL) {
		TAILQ_REMOVE(&table->listeners, listener, entry);
		listener_free(listener);
	}
	while ((pool = TAILQ_FIRST(&table->pools)) != NULL) {
		TAILQ_REMOVE(&table->pools, pool, entry);
		pool_free(pool);
	}
	free(table->reserved);
	receipt_ring_list_done(&table->worker_context.rings);
	owner_quotas_close(&table->quotas);
	if (table->refusals.base != NULL)
		refuse_done(&table->refusals);
	watch_close(&table->watch);
	rebind_done(&table->rebind);
	socket_diag_close(&table->diag);
	socket_census_close(&table->census);
	records_unmap(&table->records);
}
