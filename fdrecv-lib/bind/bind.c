/* SPDX-License-Identifier: ISC */
/*
 * The bind shim: functions that replace those of libc in a program that is
 * started with LD_PRELOAD=libfdrecv-bind.so.  Runs with the rights of that
 * program, in its threads and in its children.  Owns no descriptor: the lent
 * ones, which FDRECV_BIND_FDS names, stay open under their numbers, so that the
 * program can bind again, and its successors and children can bind too.
 *
 * bind(2) to the address of a lent socket puts that socket under the program's
 * number.  listen(2) on a lent socket that listens does nothing: the broker's
 * backlog stays, since many programs ask for as little as 5, and clients would
 * be turned away while they restart.  Removing the file of a lent socket does
 * nothing: programs remove it before they bind and when they end.
 *
 * All other calls go to libc.  Nothing is allocated, locked or printed.  Only
 * bind(2) can fail although it would succeed without the shim: if for ten
 * milliseconds the kernel cannot put the lent socket there or into epoll.
 */
#include "bind/shim.h"
#include "bind/takeover.h"
#include "wire/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The names that programs call.  Each libc declares them in another way, so the
 * functions have other names in C. */
int bind_bind(int fd, const struct sockaddr *address, socklen_t length) __asm__(
    "bind");
int bind_listen(int fd, int backlog) __asm__("listen");
int bind_remove(const char *path) __asm__("remove");
int bind_unlink(const char *path) __asm__("unlink");
int bind_unlinkat(int dirfd, const char *path, int flags) __asm__("unlinkat");

/* dup3(2) to a number that another thread is opening fails for a moment. */
static int
bind_duplicate(int lent, int fd, int flags)
{
	int result, tries = RETRY_TRIES;

	do
		result = SHIM_NEXT(dup3, dup3)(lent, fd, flags);
	while (result == -1 && (errno == EBUSY || errno == EINTR) &&
	    retry_wait(&tries));
	return result;
}

/* Atomically makes fd a duplicate of lent.  0, or -1 with errno. */
static int
bind_replace(int fd, int lent, int is_mapped)
{
	int flags = fcntl(fd, F_GETFD), registered, error;

	takeover_options(fd, lent);
	epoll_watch_leave(&shim.watch, fd);
	if (bind_duplicate(lent, fd, flags == FD_CLOEXEC ? O_CLOEXEC : 0) ==
	    -1) {
		error = errno;
		epoll_watch_return(&shim.watch, fd, 0);
		errno = error;
		return -1;
	}
	fd_bits_set(&shim.settled, fd, 0);
	fd_bits_set(&shim.mapped, fd, is_mapped);
	registered = epoll_watch_return(&shim.watch, fd, 1);
	if (registered > 0)
		shim_debug("fdrecv-bind: descriptor %d: in epoll again\n", fd);
	return registered == -1 ? -1 : 0;
}

int
bind_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	int saved = errno;
	int is_mapped = 0;
	int lent =
	    lent_sockets_find(&shim.lent, fd, address, length, &is_mapped);
	char text[SOCKADDR_MATCH_TEXT_SIZE] = "";

	if (shim.debug)
		sockaddr_match_text(address, length, text);
	if (lent != -1 && bind_replace(fd, lent, is_mapped) == -1) {
		shim_debug("fdrecv-bind: descriptor %d: %s: it cannot become "
			   "the lent socket %d: %s\n",
		    fd, text, lent, strerror(errno));
		return -1;
	}
	if (lent != -1) {
		shim_debug("fdrecv-bind: descriptor %d: %s is the lent socket "
			   "%d now\n",
		    fd, text, lent);
		errno = saved;
		return 0;
	}
	shim_debug("fdrecv-bind: descriptor %d: %s: no lent socket of this "
		   "kind has this address: calling the kernel\n",
	    fd, text);
	errno = saved;
	return SHIM_NEXT(bind, bind_bind)(fd, address, length);
}

int
bind_listen(int fd, int backlog)
{
	socklen_t size = sizeof(int);
	int saved = errno;
	int listens = 0;

	if (lent_sockets_has(&shim.lent, fd) &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
	    listens) {
		shim_debug("fdrecv-bind: descriptor %d: listens already, the "
			   "backlog stays\n",
		    fd);
		errno = saved;
		return 0;
	}
	errno = saved;
	return SHIM_NEXT(listen, bind_listen)(fd, backlog);
}

/* True if path is the file of a lent socket and must not be removed. */
static int
bind_keeps(int dirfd, const char *path)
{
	int saved = errno;
	int keeps = lent_sockets_has_file(&shim.lent, dirfd, path);

	if (keeps)
		shim_debug("fdrecv-bind: %s: kept, a socket was lent\n", path);
	errno = saved;
	return keeps;
}

int
bind_remove(const char *path)
{
	if (bind_keeps(AT_FDCWD, path))
		return 0;
	return SHIM_NEXT(remove, bind_remove)(path);
}

int
bind_unlink(const char *path)
{
	if (bind_keeps(AT_FDCWD, path))
		return 0;
	return SHIM_NEXT(unlink, bind_unlink)(path);
}

int
bind_unlinkat(int dirfd, const char *path, int flags)
{
	if (flags == 0 && bind_keeps(dirfd, path))
		return 0;
	return SHIM_NEXT(unlinkat, bind_unlinkat)(dirfd, path, flags);
}
