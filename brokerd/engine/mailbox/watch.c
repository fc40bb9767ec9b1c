/* SPDX-License-Identifier: ISC */
/*
 * inotify(7) tells when a mailbox appears, so that nobody polls for it.
 * Engine, unprivileged; needs read permission on the directory.
 */
#include "engine/mailbox/watch.h"

#include "base/fd.h"
#include "base/log.h"
#include "engine/timer.h"

#include <sys/inotify.h>

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define WATCH_NAMES \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
#define WATCH_SELF (IN_DELETE_SELF | IN_MOVE_SELF)
#define WATCH_END (WATCH_SELF | IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)

static void
watch_on_event(
    struct watch *watch, const struct inotify_event *event, const char *name)
{
	struct watcher *watcher;

	/* A directory that is moved would be watched in its new place.  Before
	 * on_end(), which may find it where it was and watch it again. */
	if (event->mask & IN_MOVE_SELF)
		inotify_rm_watch(watch->fd, event->wd);
	TAILQ_FOREACH (watcher, &watch->watchers, entry) {
		if (watcher->id == -1 ||
		    (watcher->id != event->wd &&
			(event->mask & IN_Q_OVERFLOW) == 0))
			continue;
		if (event->mask & WATCH_END) {
			watcher->id = -1;
			watcher->callbacks->on_end(watcher->owner);
		} else {
			watcher->callbacks->on_change(watcher->owner, name);
		}
	}
}

static void
watch_on_readable(evutil_socket_t fd, short what, void *argument)
{
	union {
		struct inotify_event align;
		/* As many as others can wait for, and one in any case. */
		char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
	} buffer;
	struct inotify_event event;
	ssize_t n = read(fd, buffer.bytes, sizeof(buffer.bytes));

	(void)what;
	for (ssize_t at = 0; at + (ssize_t)sizeof(event) <= n;
	     at += (ssize_t)(sizeof(event) + event.len)) {
		memcpy(&event, buffer.bytes + at, sizeof(event));
		watch_on_event(argument, &event,
		    event.len == 0 ? "" : buffer.bytes + at + sizeof(event));
	}
}

/* 0, or -1 with errno. */
static int
watch_begin(struct watch *watch)
{
	if (watch->fd != -1)
		return 0;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd == -1)
		return -1;
	watch->readable = event_new(watch->base, watch->fd,
	    EV_READ | EV_PERSIST, watch_on_readable, watch);
	if (watch->readable != NULL && event_add(watch->readable, NULL) == 0)
		return 0;
	watch_close(watch);
	errno = ENOMEM;
	return -1;
}

void
watch_open(struct watch *watch, struct event_base *base, struct log *log)
{
	*watch = (struct watch){.base = base, .log = log, .fd = -1};
	TAILQ_INIT(&watch->watchers);
	watch_begin(watch); /* or later, see watcher_start() */
}

const char *
watch_advice(const struct watch *watch)
{
	if (watch->limited == 0)
		return NULL;
	if (watch->error == EMFILE)
		return "no inotify instance is left: raise "
		       "fs.inotify.max_user_instances, see inotify(7)";
	if (watch->error == ENOSPC)
		return "no inotify watch is left: raise "
		       "fs.inotify.max_user_watches, see inotify(7)";
	return strerror(watch->error);
}

static void
watcher_set_limited(struct watcher *watcher, int error)
{
	struct watch *watch = watcher->watch;
	unsigned int before = watch->limited;

	watch->limited += (error != 0) - (unsigned int)watcher->limited;
	watcher->limited = error != 0;
	if (error != 0)
		watch->error = error;
	if (before == 0 && watch->limited != 0)
		log_line(watch->log, LOG_WARNING,
		    "mailboxes: cannot be watched: %s: looking for them every "
		    "second",
		    watch_advice(watch));
	else if (before != 0 && watch->limited == 0)
		log_line(
		    watch->log, LOG_NOTICE, "mailboxes: are watched again");
}

void
watch_close(struct watch *watch)
{
	timer_free_event(&watch->readable);
	watch->fd = fd_close(watch->fd);
}

void
watcher_init(struct watcher *watcher, struct watch *watch,
    const struct watch_callbacks *callbacks, void *owner)
{
	*watcher = (struct watcher){
	    .watch = watch, .id = -1, .callbacks = callbacks, .owner = owner};
	TAILQ_INSERT_TAIL(&watch->watchers, watcher, entry);
}

void
watcher_done(struct watcher *watcher)
{
	watcher->watch->limited -= (unsigned int)watcher->limited;
	TAILQ_REMOVE(&watcher->watch->watchers, watcher, entry);
}

int
watcher_start(struct watcher *watcher, const char *directory)
{
	int error = 0;

	watcher->id = -1;
	if (watch_begin(watcher->watch) == 0)
		watcher->id = inotify_add_watch(watcher->watch->fd, directory,
		    WATCH_NAMES | WATCH_SELF | IN_ONLYDIR);
	if (watcher->id == -1)
		error = errno;
	/* The finder tells of directories that cannot be used. */
	if (error == EACCES || error == ENOENT || error == ENOTDIR ||
	    error == ELOOP || error == ENAMETOOLONG)
		watcher_set_limited(watcher, 0);
	else
		watcher_set_limited(watcher, error);
	errno = error;
	return watcher->id == -1 ? -1 : 0;
}

void
watcher_stop(struct watcher *watcher)
{
	if (watcher->id != -1)
		inotify_rm_watch(watcher->watch->fd, watcher->id);
	watcher->id = -1;
}
