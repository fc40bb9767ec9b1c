/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/epoll.h>
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define EPOLL_WATCH_MAX 1024

struct epoll_watch_entry {
	int state; /* 0: free, -1: being written, otherwise fd + 1 */
	int epoll;
	pid_t pid; /* of the process that added it */
	int is_lent;
	uint32_t events;
	uint64_t data;
};

/* What a process has registered with epoll(7), of the sockets that are lent or
 * may still be bound.  Threads and signal handlers may use it at any time; all
 * zero is empty. */
struct epoll_watch {
	pid_t pid; /* of the process whose memory this is */
	size_t used;
	struct epoll_watch_entry entries[EPOLL_WATCH_MAX];
};

/* After epoll_ctl(2) has added fd to epoll.  Borrows both.  Registrations for
 * which there is no room are not remembered. */
void epoll_watch_add(struct epoll_watch *watch, int epoll, int fd, int is_lent,
    const struct epoll_event *event);

/* After epoll_ctl(2) has changed fd, or removed it if event is NULL. */
void epoll_watch_change(struct epoll_watch *watch, int epoll, int fd,
    const struct epoll_event *event);

/* True if something is remembered of a descriptor from first to last. */
int epoll_watch_has(const struct epoll_watch *watch, int first, int last);

/* The descriptors from first to last are about to be closed.  Removes lent
 * sockets from their epoll instances, since the kernel does so only when all
 * duplicates are closed. */
void epoll_watch_close(struct epoll_watch *watch, int first, int last);

/* Before fd gets another socket, which will be a lent one: removes the present
 * one from its epoll instances. */
void epoll_watch_leave(struct epoll_watch *watch, int fd);

/* Afterwards: registers the socket as the one before.  Returns the number of
 * instances, or -1 with errno: the program would not hear of its clients. */
int epoll_watch_return(struct epoll_watch *watch, int fd, int is_lent);
