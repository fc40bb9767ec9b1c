/* SPDX-License-Identifier: ISC */
/*
 * Remembers registrations with epoll(7).  Runs in a program that knows nothing
 * of it.
 *
 * epoll knows sockets, not numbers.  An event loop that registers a socket
 * before bind(2) would never hear of a client when the lent socket takes that
 * number.  And a lent socket that the program closes is still open under
 * another number, here and in the broker, so epoll would report it for ever,
 * and nobody could remove it.
 *
 * An instance is shared with children of fork(2), so a child that closes what
 * its parent has registered must not remove it, unless the parent has gone.
 * Children of vfork(2) share this memory and must not change it.
 */
#include "bind/epoll_watch.h"

#include "wire/retry.h"

#include <sys/syscall.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static int
epoll_watch_state(const struct epoll_watch_entry *entry)
{
	return __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE);
}

static size_t
epoll_watch_used(const struct epoll_watch *watch)
{
	return __atomic_load_n(&watch->used, __ATOMIC_ACQUIRE);
}

/* True if this thread has changed the entry's state. */
static int
epoll_watch_claim(struct epoll_watch_entry *entry, int from, int to)
{
	return __atomic_compare_exchange_n(
	    &entry->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Not the function of libc, which the shim replaces. */
static int
epoll_watch_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

void
epoll_watch_add(struct epoll_watch *watch, int epoll, int fd, int is_lent,
    const struct epoll_event *event)
{
	struct epoll_watch_entry *entry;
	size_t used;

	for (size_t i = 0; i < EPOLL_WATCH_MAX; i++) {
		entry = &watch->entries[i];
		if (!epoll_watch_claim(entry, 0, -1))
			continue;
		entry->epoll = epoll;
		entry->pid = getpid();
		entry->is_lent = is_lent;
		entry->events = event->events;
		entry->data = event->data.u64;
		used = epoll_watch_used(watch);
		while (used <= i &&
		    !__atomic_compare_exchange_n(&watch->used, &used, i + 1, 0,
			__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			;
		__atomic_store_n(&entry->state, fd + 1, __ATOMIC_RELEASE);
		return;
	}
}

void
epoll_watch_change(struct epoll_watch *watch, int epoll, int fd,
    const struct epoll_event *event)
{
	struct epoll_watch_entry *entry;

	for (size_t i = 0; i < epoll_watch_used(watch); i++) {
		entry = &watch->entries[i];
		if (epoll_watch_state(entry) != fd + 1 || entry->epoll != epoll)
			continue;
		if (event == NULL) {
			epoll_watch_claim(entry, fd + 1, 0);
		} else {
			entry->events = event->events;
			entry->data = event->data.u64;
		}
	}
}

static int
epoll_watch_is_of(const struct epoll_watch_entry *entry, int first, int last)
{
	int fd = epoll_watch_state(entry) - 1;

	return fd >= 0 &&
	    ((fd >= first && fd <= last) ||
		(entry->epoll >= first && entry->epoll <= last));
}

int
epoll_watch_has(const struct epoll_watch *watch, int first, int last)
{
	for (size_t i = 0; i < epoll_watch_used(watch); i++)
		if (epoll_watch_is_of(&watch->entries[i], first, last))
			return 1;
	return 0;
}

/* True if a process has ended.  In a new process namespace nothing is known of
 * others. */
static int
epoll_watch_has_ended(pid_t pid)
{
	struct pollfd end = {.events = POLLIN};
	int result;

	if (getppid() == 0)
		return 0;
	end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (end.fd == -1)
		return errno == ESRCH;
	result = poll(&end, 1, 0) == 1;
	close(end.fd);
	return result;
}

/* True if no other process relies on the registration. */
static int
epoll_watch_is_own(
    const struct epoll_watch *watch, const struct epoll_watch_entry *entry)
{
	return entry->pid == watch->pid || epoll_watch_has_ended(entry->pid);
}

void
epoll_watch_close(struct epoll_watch *watch, int first, int last)
{
	struct epoll_watch_entry *entry;
	int state;

	if (!epoll_watch_has(watch, first, last) || getpid() != watch->pid)
		return;
	for (size_t i = 0; i < epoll_watch_used(watch); i++) {
		entry = &watch->entries[i];
		state = epoll_watch_state(entry);
		if (!epoll_watch_is_of(entry, first, last))
			continue;
		if (entry->is_lent && state - 1 >= first && state - 1 <= last &&
		    epoll_watch_is_own(watch, entry))
			epoll_watch_ctl(
			    entry->epoll, EPOLL_CTL_DEL, state - 1, NULL);
		epoll_watch_claim(entry, state, 0);
	}
}

/* True if epoll_ctl(2) failed because there is no registration, or because the
 * instance was closed, perhaps by another thread a moment ago. */
static int
epoll_watch_is_gone(void)
{
	return errno == ENOENT || errno == EBADF || errno == EINVAL;
}

void
epoll_watch_leave(struct epoll_watch *watch, int fd)
{
	struct epoll_watch_entry *entry;

	for (size_t i = 0; i < epoll_watch_used(watch); i++) {
		entry = &watch->entries[i];
		if (epoll_watch_state(entry) == fd + 1 &&
		    epoll_watch_ctl(entry->epoll, EPOLL_CTL_DEL, fd, NULL) ==
			-1 &&
		    epoll_watch_is_gone())
			epoll_watch_claim(entry, fd + 1, 0);
	}
}

static int
epoll_watch_register(const struct epoll_watch_entry *entry, int fd)
{
	struct epoll_event event = {
	    .events = entry->events, .data.u64 = entry->data};
	int result, tries = RETRY_TRIES;

	do
		result =
		    epoll_watch_ctl(entry->epoll, EPOLL_CTL_ADD, fd, &event);
	while (result == -1 && !epoll_watch_is_gone() && retry_wait(&tries));
	return result;
}

int
epoll_watch_return(struct epoll_watch *watch, int fd, int is_lent)
{
	struct epoll_watch_entry *entry;
	int count = 0;

	for (size_t i = 0; i < epoll_watch_used(watch); i++) {
		entry = &watch->entries[i];
		if (epoll_watch_state(entry) != fd + 1)
			continue;
		entry->is_lent = is_lent;
		if (epoll_watch_register(entry, fd) == 0)
			count++;
		else if (!epoll_watch_is_gone())
			return -1;
	}
	return count;
}
