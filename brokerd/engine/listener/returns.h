/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/listener.h"
#include "engine/listener/returns_reader.h"
#include "engine/listener/sent_before.h"

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

/* Connections that come back from engines that were killed, by their
 * keepers. */
struct returns {
	const struct listener_context *context; /* borrowed, as listeners */
	const struct listener_list *listeners;
	TAILQ_HEAD(, returns_reader) readers;
	size_t reader_count;
	uint64_t room;    /* in this round, see returns_room() */
	uint64_t brought; /* connections, by all of them */
	struct sent_before sent;
	struct returns_reader *reserved; /* memory for the next one */
	int started;
	int is_wary; /* something that is no socket was returned */
	struct limited_log limit, rest_limit;
};

/* None so far.  0, or -1 with ENOMEM. */
int returns_init(struct returns *returns,
    const struct listener_context *context,
    const struct listener_list *listeners);

/* Adds a socket on which they come (takes fd).  0, or -1 if it cannot be
 * one. */
int returns_add(struct returns *returns, int fd);

/* Takes what has come so far, and tells keepers that this engine serves; what
 * comes later is taken when it comes. */
void returns_start(struct returns *returns);

/* True if connections may still come, or a worker has one that is watched. */
int returns_is_busy(const struct returns *returns);

/* Closes all.  All zeros are accepted. */
void returns_done(struct returns *returns);
