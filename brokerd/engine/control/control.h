/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/peer.h"
#include "engine/control/report.h"

struct evconnlistener;
struct evhttp;

/* HTTP on a local socket.  All zeros is a socket that is not open: every
 * function but control_open() accepts it and does nothing. */
struct control {
	struct control_context context;
	struct peer_list peers;
	struct evhttp *http;
	struct evconnlistener *accepting; /* NULL: not open */
	struct timer rest;                /* of it */
	int serves;                       /* control_start() to _stop() */
};

/* Prepares a socket that is not open; requests will use context (borrowed). */
void control_init(
    struct control *control, const struct control_context *context);

/* Listens on fd (takes it).  0, or -1 with errno; control_close() in either
 * case. */
int control_open(
    struct control *control, const struct record_control *record, int fd);

/* Begins to accept: until then the engine before this one does. */
void control_start(struct control *control);

/* A reload or upgrade has ended, which the monitor began when it had read so
 * many requests of this engine; asked may be CHANNEL_ASKED_UPGRADE.  status is
 * 0 or one of sysexits(3).  0: this engine drains, so peers whose requests it
 * was not for are dropped, and ask the next one. */
void control_on_result(
    struct control *control, uint32_t asked, int status, const char *text);

/* The monitor has died, so no more results come. */
void control_on_end(struct control *control);

/* The monitor has died; the engine ends at until_ms at the latest. */
void control_set_orphan(struct control *control, uint64_t until_ms);

/* Accepts no more, and drops peers but those that wait for an answer or are
 * being sent one. */
void control_stop(struct control *control);

/* True if there are such peers. */
int control_is_busy(const struct control *control);

/* Closes everything. */
void control_close(struct control *control);
