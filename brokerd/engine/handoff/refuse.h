/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_REFUSE_H
#define ENGINE_HANDOFF_REFUSE_H

#include "record/record.h"

#include <sys/queue.h>

#include <stddef.h>

struct bounded_close;
struct event_base;
struct refusal;

/* Connections that are being told why they are refused. */
struct refusals {
	LIST_HEAD(, refusal) list;
	struct event_base *base;
	struct bounded_close *bounded;
	size_t count;
};

/* Borrows bounded. */
void refusals_init(struct refusals *refusals, struct event_base *base,
    struct bounded_close *bounded);

/* Closes those that are still under way. */
void refusals_done(struct refusals *refusals);

/* Refuses a connection (takes fd) as endpoint says: by close, by reset, or by
 * its message.  A message is sent, then the connection is shut down and read
 * for at most one second, so that a reset does not overtake it; when there
 * are too many such connections it is just closed. */
void refuse_connection(
    struct refusals *refusals, const struct record_endpoint *endpoint, int fd);

#endif
