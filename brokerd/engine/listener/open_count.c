/* SPDX-License-Identifier: ISC */
/*
 * The number of open connections of each source.  Engine, unprivileged.  It is
 * counted anew from what the kernel says, so it does not drift, and an engine
 * that has just begun knows what its predecessors have accepted.
 */
#include "engine/listener/open_count.h"

#include "base/clock.h"
#include "engine/listener/listener.h"
#include "engine/listener/socket_census.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define OPEN_COUNT_PART 20 /* of the time may go into asking */
#define OPEN_COUNT_ALL 10  /* the same of all listeners together */
#define OPEN_COUNT_US 1000 /* at least, between two questions */

/* The processor time of this process. */
static uint64_t
open_count_spent_us(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (uint64_t)spent.tv_sec * 1000000 +
	    (uint64_t)spent.tv_nsec / 1000;
}

/* What the census is for. */
struct open_census {
	const struct record_source *limits;
	struct source_table *sources;
};

static void
open_count_clear(void *owner, struct source_entry *source)
{
	(void)owner;
	source->open = 0;
}

/* If the kernel does not tell, what waits here is all that is known. */
static void
open_count_waiting(void *owner, struct source_entry *source)
{
	(void)owner;
	source->open = (uint32_t)source->share.count;
}

static void
open_count_add(void *owner, const struct source_address *from)
{
	const struct open_census *census = owner;
	struct source_address address = *from;
	struct source_entry *source;

	source_address_group(&address, census->limits->prefix);
	source = source_table_add(census->sources, &address);
	if (source != NULL)
		source->open++;
}

static void
open_count_ask(struct open_count *count, const struct listener *listener,
    struct source_table *sources)
{
	struct open_census census = {&listener->record->source, sources};
	const struct listener_context *context = listener->context;
	const struct listener_endpoint *endpoint;
	uint64_t begun_us = open_count_spent_us(), took_us, now_us;

	count->error = 0;
	source_table_each(sources, open_count_clear, NULL);
	TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
		if (socket_census(context->diag, &endpoint->record->socket,
			open_count_add, &census) == -1)
			count->error = errno;
	/* While others have the processor, it costs nothing. */
	took_us = open_count_spent_us() - begun_us;
	now_us = clock_us();
	count->again_us = now_us + OPEN_COUNT_US + took_us * OPEN_COUNT_PART;
	if (context->diag != NULL)
		context->diag->again_us = now_us + took_us * OPEN_COUNT_ALL;
	if (count->error == 0)
		return;
	source_table_each(sources, open_count_waiting, NULL);
	limited_log_line(&count->limit, context->log, LOG_WARNING,
	    "listener %s: the kernel does not tell which connections are open: "
	    "%s: max-per-source counts only those that wait",
	    listener->record->listener, strerror(count->error));
}

/* The first time, it may be asked in any case: what earlier engines have
 * accepted is not known. */
static int
open_count_may_ask(
    const struct open_count *count, const struct listener *listener)
{
	const struct socket_diag *diag = listener->context->diag;
	uint64_t now_us = clock_us();

	return count->again_us == 0 ||
	    (now_us >= count->again_us &&
		(diag == NULL || now_us >= diag->again_us));
}

int
open_count_exceeds(struct open_count *count, const struct listener *listener,
    struct source_table *sources, struct source_entry *source)
{
	uint32_t most = listener->record->source.max_per_source;

	if (most == 0)
		return 0;
	source->open++;
	if ((source->open > most || count->again_us == 0) &&
	    open_count_may_ask(count, listener)) {
		open_count_ask(count, listener, sources);
		/* If it tells, the kernel has counted this one, too. */
		source->open += count->error != 0;
	}
	return source->open > most;
}
