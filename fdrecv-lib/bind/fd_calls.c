/* SPDX-License-Identifier: ISC */
/*
 * The bind shim: functions that close descriptors or register them with
 * epoll(7).  Closing a lent socket takes it out of epoll, as closing a socket
 * of the program's own would, see epoll_watch.c.
 *
 * A connection costs no system call more: what accept(2) or connect(2) returned
 * is settled, so nothing has to be known of it.
 */
#include "bind/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

int fd_calls_close(int fd) __asm__("close");
int fd_calls_close_range(
    unsigned int first, unsigned int last, int flags) __asm__("close_range");
void fd_calls_closefrom(int first) __asm__("closefrom");
int fd_calls_dup2(int from, int to) __asm__("dup2");
int fd_calls_dup3(int from, int to, int flags) __asm__("dup3");
int fd_calls_epoll_ctl(int epoll, int operation, int fd,
    struct epoll_event *event) __asm__("epoll_ctl");
int fd_calls_fclose(FILE *stream) __asm__("fclose");
int fd_calls_socket(int domain, int type, int protocol) __asm__("socket");

/* Children of vfork(2) close what is still open in their parent. */
static void
fd_calls_forget(struct fd_bits *bits, int first, int last)
{
	int fd = fd_bits_next(bits, first, last);

	if (fd != -1 && getpid() != shim.watch.pid)
		return;
	for (; fd != -1; fd = fd_bits_next(bits, fd + 1, last))
		fd_bits_set(bits, fd, 0);
}

/* Before the descriptors from first to last are closed.  settled is only about
 * costs, so it may be changed for a parent as well. */
static void
fd_calls_before_close(int first, int last)
{
	int saved = errno;

	if (shim.lent.count == 0 || first < 0)
		return;
	epoll_watch_close(&shim.watch, first, last);
	fd_calls_forget(&shim.mapped, first, last);
	if (first == last)
		fd_bits_set(&shim.settled, first, 0);
	else
		fd_calls_forget(&shim.settled, first, last);
	errno = saved;
}

int
fd_calls_close(int fd)
{
	fd_calls_before_close(fd, fd);
	return SHIM_NEXT(close, fd_calls_close)(fd);
}

int
fd_calls_close_range(unsigned int first, unsigned int last, int flags)
{
	__typeof__(&fd_calls_close_range) next =
	    SHIM_NEXT(close_range, fd_calls_close_range);

	if (next == NULL) {
		errno = ENOSYS;
		return -1;
	}
	if (first <= last && first <= INT_MAX &&
	    ((unsigned int)flags & CLOSE_RANGE_CLOEXEC) == 0)
		fd_calls_before_close(
		    (int)first, last > INT_MAX ? INT_MAX : (int)last);
	return next(first, last, flags);
}

void
fd_calls_closefrom(int first)
{
	__typeof__(&fd_calls_closefrom) next =
	    SHIM_NEXT(closefrom, fd_calls_closefrom);

	if (next == NULL)
		return;
	fd_calls_before_close(first < 0 ? 0 : first, INT_MAX);
	next(first);
}

/* Before to becomes a duplicate of from, if that can succeed. */
static void
fd_calls_before_dup(int from, int to)
{
	int saved = errno;

	if (from != to && shim.lent.count > 0 &&
	    (!epoll_watch_has(&shim.watch, to, to) ||
		fcntl(from, F_GETFD) != -1))
		fd_calls_before_close(to, to);
	errno = saved;
}

/* A duplicate is seen as the original. */
static int
fd_calls_after_dup(int from, int result)
{
	if (result != -1 && fd_bits_has(&shim.mapped, from) &&
	    getpid() == shim.watch.pid)
		fd_bits_set(&shim.mapped, result, 1);
	return result;
}

int
fd_calls_dup2(int from, int to)
{
	fd_calls_before_dup(from, to);
	return fd_calls_after_dup(
	    from, SHIM_NEXT(dup2, fd_calls_dup2)(from, to));
}

int
fd_calls_dup3(int from, int to, int flags)
{
	if ((flags & ~O_CLOEXEC) == 0)
		fd_calls_before_dup(from, to);
	return fd_calls_after_dup(
	    from, SHIM_NEXT(dup3, fd_calls_dup3)(from, to, flags));
}

int
fd_calls_fclose(FILE *stream)
{
	int saved = errno;
	int fd = fileno(stream);

	errno = saved; /* not every stream has a descriptor */
	if (fd != -1)
		fd_calls_before_close(fd, fd);
	return SHIM_NEXT(fclose, fd_calls_fclose)(stream);
}

int
fd_calls_socket(int domain, int type, int protocol)
{
	int fd = SHIM_NEXT(socket, fd_calls_socket)(domain, type, protocol);

	if (fd != -1) {
		fd_bits_set(&shim.settled, fd, 0);
		fd_bits_set(&shim.mapped, fd, 0);
	}
	return fd;
}

static void
fd_calls_after_add(int epoll, int fd, const struct epoll_event *event)
{
	int is_lent;

	if (fd_bits_has(&shim.settled, fd))
		return;
	is_lent = lent_sockets_has(&shim.lent, fd);
	if (is_lent || lent_sockets_may_be_bound(fd))
		epoll_watch_add(&shim.watch, epoll, fd, is_lent, event);
	else
		fd_bits_set(&shim.settled, fd, 1);
}

int
fd_calls_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	int result = SHIM_NEXT(epoll_ctl, fd_calls_epoll_ctl)(
	    epoll, operation, fd, event);
	int saved = errno;

	if (result == -1 || shim.lent.count == 0)
		return result;
	if (operation == EPOLL_CTL_ADD)
		fd_calls_after_add(epoll, fd, event);
	else if (!fd_bits_has(&shim.settled, fd))
		epoll_watch_change(&shim.watch, epoll, fd,
		    operation == EPOLL_CTL_DEL ? NULL : event);
	errno = saved;
	return result;
}
