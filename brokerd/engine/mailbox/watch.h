/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_MAILBOX_WATCH_H
#define ENGINE_MAILBOX_WATCH_H

#include <stdint.h>

struct event;
struct event_base;

/* Directories that are watched, by one inotify(7) descriptor. */
struct watch {
	int fd;
	struct event *event;
	void (*on_change)(void *argument, int id, int gone, const char *name);
	void *argument;
};

#define WATCH_NONE (-1)
#define WATCH_ALL (-2) /* events were lost: look at everything */

/* on_change tells a watched directory's id and the name in it that came, went
 * or changed; with gone, that the watch itself has ended; with WATCH_ALL, that
 * anything may have happened.  0, or -1 with errno. */
int watch_open(struct watch *watch, struct event_base *base,
    void (*on_change)(void *, int, int, const char *), void *argument);

/* Watches a directory.  Returns its id (the same for the same directory), or
 * WATCH_NONE with errno. */
int watch_add(struct watch *watch, const char *directory);

void watch_close(struct watch *watch);

#endif
