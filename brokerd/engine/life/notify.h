/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "engine/listener/listener.h"
#include "engine/timer.h"

#include <sys/queue.h>

#include <stddef.h>

struct notify_message;

/* Messages to the service manager, see sd_notify(3).  No call blocks or fails.
 * Messages that the manager has no room for wait, in order; those that it
 * refuses are lost. */
struct notify {
	int fd; /* -1: there is no manager */
	size_t waiting;
	TAILQ_HEAD(notify_queue, notify_message) queue;
	struct timer retry;
};

/* Connects to the manager at address: a path, or @ and an abstract name; NULL
 * or "" if there is none.  If that fails, log gets a line, and no message is
 * ever sent. */
void notify_open(struct notify *notify, const char *address, struct log *log);

/* Lets the loop of base send messages that wait; to be called before any
 * message.  0, or -1 with errno. */
int notify_start(struct notify *notify, struct event_base *base);

void notify_close(struct notify *notify);

/* This engine serves, with another configuration or program, or after a crash.
 * The manager keeps the sockets of listeners across the end of all processes.
 * Borrows them until notify_forget(). */
void notify_serving(
    struct notify *notify, const struct listener_list *listeners);

/* This engine drains.  The manager closes the sockets that nobody takes over.
 */
void notify_draining(struct notify *notify,
    const struct listener_list *listeners, const struct channel_drain *drain);

/* This engine serves as before. */
void notify_reload_failed(struct notify *notify, const char *reason);

/* The engine works.  Not sent while other messages wait. */
void notify_watchdog(struct notify *notify);

/* Gives up the sockets that wait to be sent; before they are closed. */
void notify_forget(struct notify *notify);

/* Has the manager keep a duplicate of fd (borrowed until it is sent) by the
 * name of an endpoint. */
void notify_store(struct notify *notify, int fd, const char *name);

/* Has the manager close what it keeps by that name. */
void notify_remove(struct notify *notify, const char *name);
