/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/policy/effort.h"
#include "engine/timer.h"

#include <sys/queue.h>

#include <event2/util.h>
#include <stddef.h>

struct returns;

/* Where the keeper of one engine puts them. */
struct returns_reader {
	TAILQ_ENTRY(returns_reader) entry;
	struct returns *returns;
	int fd;
	struct event *readable;
	struct timer rest;
	struct effort effort; /* for what brings no connection */
};

/* One without a socket.  NULL with ENOMEM. */
struct returns_reader *returns_reader_new(struct event_base *base,
    void (*on_readable)(evutil_socket_t fd, short what, void *argument),
    void (*on_rested)(void *owner));

/* Frees it; NULL is accepted. */
void returns_reader_free(struct returns_reader *reader);

/* Reads nothing for a time.  Returns 0. */
int returns_reader_rest(struct returns_reader *reader, uint64_t rest_us);

/* Accounts for the time since begun_us, which brought no connection.  There are
 * count readers, which get a tenth of the time together.  True if this one
 * rests now. */
int returns_reader_account(
    struct returns_reader *reader, uint64_t begun_us, size_t count);
