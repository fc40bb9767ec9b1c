/* SPDX-License-Identifier: ISC */
/*
 * inotify: tells when a mailbox appears, so that nobody polls for it.
 * Engine, unprivileged; needs read permission on the directory.
 */
#include "engine/mailbox/watch.h"

#include "base/fd.h"
#include "engine/timer.h"

#include <sys/inotify.h>

#include <event2/event.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define WATCH_NAMES \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
#define WATCH_SELF (IN_DELETE_SELF | IN_MOVE_SELF)
#define WATCH_GONE (WATCH_SELF | IN_UNMOUNT | IN_IGNORED)

static void
watch_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct watch *watch = argument;
	union {
		struct inotify_event align;
		char bytes[4096];
	} buffer;
	struct inotify_event event;
	ssize_t n = read(fd, buffer.bytes, sizeof(buffer.bytes));

	(void)what;
	for (ssize_t at = 0; at + (ssize_t)sizeof(event) <= n;
	     at += (ssize_t)(sizeof(event) + event.len)) {
		const char *name = buffer.bytes + at + sizeof(event);

		memcpy(&event, buffer.bytes + at, sizeof(event));
		/* It would go with the directory.  Before on_change, which may
		 * find the directory in its place again and watch it. */
		if (event.mask & IN_MOVE_SELF)
			inotify_rm_watch(fd, event.wd);
		if (event.mask & IN_Q_OVERFLOW)
			watch->on_change(watch->argument, WATCH_ALL, 0, "");
		else
			watch->on_change(watch->argument, event.wd,
			    (event.mask & WATCH_GONE) != 0,
			    event.len == 0 ? "" : name);
	}
}

int
watch_open(struct watch *watch, struct event_base *base,
    void (*on_change)(void *, int, int, const char *), void *argument)
{
	*watch = (struct watch){.on_change = on_change, .argument = argument};
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd == -1)
		return -1;
	watch->event = event_new(
	    base, watch->fd, EV_READ | EV_PERSIST, watch_on_readable, watch);
	if (watch->event != NULL && event_add(watch->event, NULL) == 0)
		return 0;
	watch_close(watch);
	return -1;
}

int
watch_add(struct watch *watch, const char *directory)
{
	return inotify_add_watch(
	    watch->fd, directory, WATCH_NAMES | WATCH_SELF | IN_ONLYDIR);
}

void
watch_close(struct watch *watch)
{
	timer_free_event(&watch->event);
	watch->fd = fd_close(watch->fd);
}
