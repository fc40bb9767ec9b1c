/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LIFE_NOTIFY_H
#define ENGINE_LIFE_NOTIFY_H

#include <sys/queue.h>

#include <stddef.h>

struct notify_message;

/* What the service manager is told, see sd_notify(3).  No call blocks or
 * fails.  What the manager has no room for waits, in order, for
 * notify_flush(); what it refuses is lost. */
struct notify {
	int fd;                  /* -1: nobody wants to know */
	void (*on_wait)(void *); /* something has to wait; may be NULL */
	void *argument;
	size_t waiting;
	TAILQ_HEAD(notify_queue, notify_message) queue;
};

/* Connects to address, which is NULL, a path or @ and an abstract name.
 * 0, also for NULL, or -1 with errno; then likewise nothing will be said. */
int notify_open(struct notify *notify, const char *address);

void notify_close(struct notify *notify);

/* Serving; status is for people. */
void notify_ready(struct notify *notify, const char *status);

/* Serving with another configuration, another program, or after a crash. */
void notify_reloaded(struct notify *notify, const char *status);

/* Serving as before. */
void notify_reload_failed(struct notify *notify, const char *why);

void notify_stopping(struct notify *notify);

/* The engine works.  Not said while other things wait. */
void notify_watchdog(struct notify *notify);

void notify_status(struct notify *notify, const char *status);

/* Has the manager keep a duplicate of fd across the end of all processes, by
 * the name of an endpoint.  Borrows fd until it is sent: see notify_forget().
 */
void notify_store(struct notify *notify, int fd, const char *name);

/* Has it close what it keeps by that name. */
void notify_remove(struct notify *notify, const char *name);

/* Gives up what still waits to be stored.  Before the descriptors are closed.
 */
void notify_forget(struct notify *notify);

/* Says what waits, as far as there is room.  True if some of it waits on, for
 * another call a little later. */
int notify_flush(struct notify *notify);

#endif
