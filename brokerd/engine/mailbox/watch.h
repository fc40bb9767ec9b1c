/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>

struct event;
struct log;
struct event_base;
struct watcher;

/* All watched directories, by one inotify(7) descriptor. */
struct watch {
	struct event_base *base; /* borrowed */
	struct log *log;         /* borrowed */
	int fd;                  /* -1: there was none to be had */
	unsigned int limited;    /* watchers that a limit keeps from watching */
	int error;               /* the last errno of these */
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
	int id;      /* of the directory; -1: none */
	int limited; /* watching failed, and not because of the directory */
	const struct watch_callbacks *callbacks;
	void *owner;
};

/* Watching may fail now or later, at a limit of the system: then this is
 * logged, and watcher_start() tries again. */
void watch_open(struct watch *watch, struct event_base *base, struct log *log);

/* What keeps directories from being watched, and what to do; NULL: nothing. */
const char *watch_advice(const struct watch *watch);

/* To be called when no watcher is left. */
void watch_close(struct watch *watch);

/* Adds a watcher that watches nothing yet. */
void watcher_init(struct watcher *watcher, struct watch *watch,
    const struct watch_callbacks *callbacks, void *owner);

void watcher_done(struct watcher *watcher);

/* Watches directory from now on.  0, or -1 with errno. */
int watcher_start(struct watcher *watcher, const char *directory);

/* Watches nothing.  Others that watch the same directory are told of the end of
 * their watch. */
void watcher_stop(struct watcher *watcher);
