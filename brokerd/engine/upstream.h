/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/channel.h"
#include "engine/handoff/bounded_close.h"

struct event;
struct event_base;

struct upstream_callbacks {
	/* A message came that is allowed in this phase; fd is taken (-1:
	 * none). */
	void (*on_message)(
	    void *owner, const struct channel_message *message, int fd);
	/* No more messages come: error is 0 if the channel was closed, else the
	 * errno of receiving. */
	void (*on_end)(void *owner, int error);
};

/* The engine's end of the channel to the monitor. */
struct upstream {
	int fd;
	enum channel_phase phase;
	struct bounded_close *bounded;
	struct event *readable; /* NULL: nothing is received any more */
	const struct upstream_callbacks *callbacks;
	void *owner;
};

/* Receives from fd (borrowed, as all others) in the phase CHANNEL_LOADING.  0,
 * or -1 with errno; upstream_stop() in either case. */
int upstream_start(struct upstream *upstream, struct event_base *base, int fd,
    struct bounded_close *bounded, const struct upstream_callbacks *callbacks,
    void *owner);

/* The table is complete.  0, or -1 with errno. */
int upstream_ready(struct upstream *upstream);

/* Gives an empty file for lines, see below; -1 if that fails. */
int upstream_lines(void);

/* The first 16 MiB of lines in the file fd (takes it; -1: none), then text. For
 * free(3); NULL with errno. */
char *upstream_text(int fd, const char *text);

/* Receives no more.  All zeros are accepted. */
void upstream_stop(struct upstream *upstream);
