/* SPDX-License-Identifier: ISC */
/*
 * One socket on which connections come back, and the time that it gets. Engine,
 * unprivileged.  Whoever has the other end may send without end.
 */
#include "engine/listener/returns_reader.h"

#include "base/clock.h"

#include <event2/event.h>
#include <stdlib.h>

struct returns_reader *
returns_reader_new(struct event_base *base,
    void (*on_readable)(evutil_socket_t fd, short what, void *argument),
    void (*on_rested)(void *owner))
{
	struct returns_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return NULL;
	reader->readable = event_new(base, -1, EV_READ, on_readable, reader);
	if (timer_init(&reader->rest, base, on_rested, reader) == 0 &&
	    reader->readable != NULL)
		return reader;
	returns_reader_free(reader);
	return NULL;
}

void
returns_reader_free(struct returns_reader *reader)
{
	if (reader == NULL)
		return;
	timer_free_event(&reader->readable);
	timer_done(&reader->rest);
	free(reader);
}

int
returns_reader_rest(struct returns_reader *reader, uint64_t rest_us)
{
	event_del(reader->readable);
	timer_set(&reader->rest, rest_us);
	return 0;
}

int
returns_reader_account(
    struct returns_reader *reader, uint64_t begun_us, size_t count)
{
	uint64_t now_us = clock_us(), rest_us;

	effort_add(
	    &reader->effort, now_us - (now_us - begun_us) * count, now_us);
	rest_us = effort_rest_us(&reader->effort, now_us);
	if (rest_us == 0)
		return 0;
	returns_reader_rest(reader, rest_us);
	return 1;
}
