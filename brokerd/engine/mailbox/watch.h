/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>

struct event;
struct event_base;
struct watcher;

/* All watched directories, by one inotify(7) descriptor. */
struct watch {
	struct event_base *base; /* borrowed */
	int fd;
	struct event *readable;
	TAILQ_HEAD(, watcher) watchers;
};

struct watch_callbacks {
	/* A name in the directory appeared, went or changed; "" stands for the
	 * directory itself. */
	void (*on_change)(void *owner, const char *name);
	/* The directory is not watched any more: it went away, or events were
	 * lost, so that anything may have changed. */
	void (*on_end)(void *owner);
};

/* Watches one directory.  Several may watch the same. */
struct watcher {
	TAILQ_ENTRY(watcher) entry;
	struct watch *watch;
	int id; /* of the directory; -1: none */
	const struct watch_callbacks *callbacks;
	void *owner;
};

/* 0, or -1 with errno. */
int watch_open(struct watch *watch, struct event_base *base);

/* To be called when no watcher is left. */
void watch_close(struct watch *watch);

/* Adds a watcher that watches nothing yet. */
void watcher_init(struct watcher *watcher, struct watch *watch,
    const struct watch_callbacks *callbacks, void *owner);

void watcher_done(struct watcher *watcher);

/* Watches directory from now on.  0, or -1 with errno. */
int watcher_start(struct watcher *watcher, const char *directory);
