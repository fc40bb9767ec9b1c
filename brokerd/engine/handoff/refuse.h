/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <sys/queue.h>

#include <stddef.h>

struct bounded_close;
struct event_base;
struct refusal;

/* Refused connections that have been sent a message. */
struct refusals {
	TAILQ_HEAD(, refusal) list; /* the oldest first */
	struct event_base *base;
	struct bounded_close *bounded;
	size_t count;
};

/* Borrows bounded. */
void refuse_init(struct refusals *refusals, struct event_base *base,
    struct bounded_close *bounded);

/* Closes those that are left. */
void refuse_done(struct refusals *refusals);

/* Refuses a connection (takes fd) as endpoint says: with close, reset or a
 * message.  After the message the connection is shut down and read for at most
 * one second, since unread data would cause a reset that overtakes it.  If too
 * many are being read already, the oldest one is closed. */
void refuse_connection(
    struct refusals *refusals, const struct record_endpoint *endpoint, int fd);
