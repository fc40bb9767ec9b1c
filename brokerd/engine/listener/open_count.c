/* SPDX-License-Identifier: ISC */
/*
 * The number of open connections of each source.  Engine, unprivileged.  It is
 * counted anew from what the kernel says, so it does not drift, and an engine
 * that has just begun knows what its predecessors have accepted.  Others have
 * their turn between the parts of a census that takes long.
 */
#include "engine/listener/open_count.h"

#include "base/clock.h"
#include "engine/listener/listener.h"
#include "engine/listener/socket_census.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define OPEN_COUNT_PART 20  /* of the time may go into asking */
#define OPEN_COUNT_ALL 10   /* the same of all listeners together */
#define OPEN_COUNT_US 1000  /* at least, between two questions */
#define OPEN_COUNT_PIECES 8 /* then other events have their turn */

/* The processor time of this process. */
static uint64_t
open_count_spent_us(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (uint64_t)spent.tv_sec * 1000000 +
	    (uint64_t)spent.tv_nsec / 1000;
}

void
open_count_add(struct open_count *count, struct source_entry *source)
{
	const struct source_table *sources = count->sources;
	struct source_open *open = &source->open;

	if (count->listener->record->source.max_per_source == 0)
		return;
	source_table_open(sources, source);
	open->count++;
	if (sources->begun == sources->ended)
		return;
	/* The census may have been past it. */
	if (open->came_in != sources->begun)
		open->came = 0;
	open->came_in = sources->begun;
	open->came++;
}

void
open_count_remove(struct open_count *count, struct source_entry *source)
{
	const struct source_table *sources = count->sources;
	struct source_open *open = &source->open;

	source_table_open(sources, source);
	open->count -= open->count > 0;
	if (sources->begun != sources->ended && open->came_in == sources->begun)
		open->came -= open->came > 0;
}

static void
open_count_on_connection(void *owner, const struct source_address *from)
{
	struct open_count *count = owner;
	struct source_table *sources = count->sources;
	struct source_address address = *from;
	struct source_entry *source;

	source_address_group(&address, count->listener->record->source.prefix);
	source = source_table_add(sources, &address, clock_us());
	if (source == NULL)
		return;
	source_table_open(sources, source); /* of the census before */
	if (source->open.counted_in != sources->begun)
		source->open.counted = 0;
	source->open.counted_in = sources->begun;
	source->open.counted++;
}

static void
open_count_end(struct open_count *count, int error)
{
	const struct listener_context *context = count->listener->context;

	count->sources->ended = count->sources->begun;
	count->sources->error = error;
	count->endpoint = NULL;
	/* While other programs have the processor, it costs nothing. */
	count->again_us = count->begun_us + OPEN_COUNT_US +
	    count->spent_us * (OPEN_COUNT_PART + 1);
	if (context->census != NULL) {
		context->census->again_us =
		    count->begun_us + count->spent_us * (OPEN_COUNT_ALL + 1);
		context->census->user = NULL;
	}
	if (error == 0)
		return;
	limited_log_line(&count->limit, context->log, LOG_WARNING,
	    "listener %s: the kernel does not tell which connections are open: "
	    "%s: max-per-source counts only those that wait",
	    count->listener->record->listener, strerror(error));
}

/* Goes on with the endpoint that is next.  1 there is more to ask, 0 that was
 * all, or -1 with errno. */
static int
open_count_ask(struct open_count *count)
{
	struct socket_census *census = count->listener->context->census;
	int got = 0;

	while (got == 0 && count->endpoint != NULL) {
		if (census->owner == NULL &&
		    socket_census_begin(census,
			&count->endpoint->record->socket,
			open_count_on_connection, count) == -1)
			return -1;
		got = socket_census_go_on(census, OPEN_COUNT_PIECES);
		if (got == 1)
			return 1;
		census->owner = NULL;
		count->endpoint = TAILQ_NEXT(count->endpoint, entry);
	}
	return got;
}

/* Asks for one part, so that other events do not wait for all of it. */
static void
open_count_go_on(void *owner)
{
	struct open_count *count = owner;
	struct socket_census *census = count->listener->context->census;
	uint64_t before_us = open_count_spent_us(), spent_us;
	int got = -1;

	if (count->sources->begun == count->sources->ended) {
		count->sources->begun++;
		count->begun_us = clock_us();
		count->spent_us = 0;
		count->endpoint = TAILQ_FIRST(&count->listener->endpoints);
	}
	errno = EOPNOTSUPP;
	if (census != NULL)
		got = open_count_ask(count);
	spent_us = open_count_spent_us() - before_us;
	count->spent_us += spent_us;
	count->is_long |= got == 1;
	if (got == 1)
		timer_set(&count->next, spent_us * (OPEN_COUNT_ALL - 1));
	else
		open_count_end(count, got == -1 ? errno : 0);
}

/* The first time, it may be asked in any case: what earlier engines have
 * accepted is not known. */
static int
open_count_may_ask(const struct open_count *count)
{
	const struct socket_census *census = count->listener->context->census;
	uint64_t now_us = clock_us();

	if (census != NULL && census->user != NULL)
		return 0;
	return count->again_us == 0 ||
	    (now_us >= count->again_us &&
		(census == NULL || now_us >= census->again_us));
}

/* If the last one took long, this one begins when the connection that is judged
 * is gone or waits; else it is known at once. */
static void
open_count_begin(struct open_count *count)
{
	struct socket_census *census = count->listener->context->census;
	int is_long = count->is_long;

	if (census != NULL) {
		census->user = count;
		census->owner = NULL;
	}
	count->is_long = 0;
	if (is_long)
		timer_set(&count->next, 0);
	else
		open_count_go_on(count);
}

int
open_count_exceeds(struct open_count *count, struct source_entry *source)
{
	uint32_t most = count->listener->record->source.max_per_source;
	uint32_t before = count->sources->ended;

	if (most == 0)
		return 0;
	open_count_add(count, source);
	if ((source->open.count > most || count->again_us == 0) &&
	    open_count_may_ask(count)) {
		open_count_begin(count);
		source_table_open(count->sources, source);
		/* If it tells, the kernel has counted this one, too. */
		if (count->sources->ended != before &&
		    count->sources->error != 0)
			source->open.count++;
	}
	return source->open.count > most;
}

int
open_count_init(struct open_count *count, const struct listener *listener,
    struct source_table *sources)
{
	*count = (struct open_count){.listener = listener, .sources = sources};
	return timer_init(
	    &count->next, listener->context->base, open_count_go_on, count);
}

void
open_count_done(struct open_count *count)
{
	struct socket_census *census = count->listener->context->census;

	timer_done(&count->next);
	if (census != NULL && census->user == count)
		census->user = NULL;
}
