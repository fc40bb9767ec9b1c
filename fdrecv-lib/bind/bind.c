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
 * All other calls go to libc.  Nothing is allocated, locked or printed until a
 * lent socket is bound, and no call fails that would succeed without the shim.
 */
#include "bind/lent_sockets.h"
#include "bind/sockaddr_match.h"
#include "bind/takeover.h"

#include "wire/names.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BIND_BIND, BIND_LISTEN, BIND_REMOVE, BIND_UNLINK, BIND_UNLINKAT };

static const char *const bind_names[] = {
    "bind", "listen", "remove", "unlink", "unlinkat"};

#define BIND_NAMES (sizeof(bind_names) / sizeof(bind_names[0]))

/* Functions that replace those of libc get no context, so this one is global.
 * It is written once, before main(). */
static struct {
	struct lent_sockets lent;
	void *next[BIND_NAMES];
	int debug;
} shim;

/* The names that programs call.  Each libc declares them in another way, so the
 * functions have other names in C. */
int bind_bind(int fd, const struct sockaddr *address, socklen_t length) __asm__(
    "bind");
int bind_listen(int fd, int backlog) __asm__("listen");
int bind_remove(const char *path) __asm__("remove");
int bind_unlink(const char *path) __asm__("unlink");
int bind_unlinkat(int dirfd, const char *path, int flags) __asm__("unlinkat");

/* secure_getenv(3): a program with more rights than its caller must not obey
 * the caller's environment. */
__attribute__((constructor)) static void
bind_load(void)
{
	const char *numbers = secure_getenv(FDRECV_WIRE_ENV_BIND_FDS);
	int saved = errno;

	for (size_t i = 0; i < BIND_NAMES; i++)
		shim.next[i] = dlsym(RTLD_NEXT, bind_names[i]);
	shim.debug = secure_getenv("FDRECV_BIND_DEBUG") != NULL;
	if (numbers != NULL)
		lent_sockets_load(&shim.lent, numbers);
	errno = saved;
}

/* The function of libc that ours replaces, of the same type.  Constructors of
 * other libraries may call before this one's has run. */
#define BIND_NEXT(which, ours) ((__typeof__(&(ours)))bind_next(which))
static void *
bind_next(size_t which)
{
	return shim.next[which] != NULL ? shim.next[which] :
					  dlsym(RTLD_NEXT, bind_names[which]);
}

/* Prints one line, in one write, if FDRECV_BIND_DEBUG is set. */
__attribute__((format(printf, 1, 2))) static void
bind_debug(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length;

	if (!shim.debug)
		return;
	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof(line))
		length = (int)sizeof(line) - 1;
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) == -1)
		return; /* there is no way to report it */
}

/* Atomically makes fd a duplicate of lent.  0, or -1 with errno. */
static int
bind_replace(int fd, int lent)
{
	int flags = fcntl(fd, F_GETFD);
	int old = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int result;

	takeover_options(fd, lent);
	result = dup3(lent, fd, flags == FD_CLOEXEC ? O_CLOEXEC : 0);
	if (result != -1 && old != -1 && takeover_epoll(old, fd) > 0)
		bind_debug("fdrecv-bind: descriptor %d: in epoll again\n", fd);
	if (old != -1)
		close(old);
	return result == -1 ? -1 : 0;
}

int
bind_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	int saved = errno;
	int lent = lent_sockets_find(&shim.lent, fd, address, length);
	char text[SOCKADDR_MATCH_TEXT_SIZE] = "";

	if (shim.debug)
		sockaddr_match_text(address, length, text);
	if (lent != -1 && bind_replace(fd, lent) == 0) {
		bind_debug("fdrecv-bind: descriptor %d: %s is the lent socket "
			   "%d now\n",
		    fd, text, lent);
		errno = saved;
		return 0;
	}
	bind_debug("fdrecv-bind: descriptor %d: %s: no lent socket of this "
		   "kind has this address: calling the kernel\n",
	    fd, text);
	errno = saved;
	return BIND_NEXT(BIND_BIND, bind_bind)(fd, address, length);
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
		bind_debug("fdrecv-bind: descriptor %d: listens already, the "
			   "backlog stays\n",
		    fd);
		errno = saved;
		return 0;
	}
	errno = saved;
	return BIND_NEXT(BIND_LISTEN, bind_listen)(fd, backlog);
}

/* True if path is the file of a lent socket and must not be removed. */
static int
bind_keeps(int dirfd, const char *path)
{
	int saved = errno;
	int keeps = lent_sockets_has_file(&shim.lent, dirfd, path);

	if (keeps)
		bind_debug("fdrecv-bind: %s: kept, a socket was lent\n", path);
	errno = saved;
	return keeps;
}

int
bind_remove(const char *path)
{
	if (bind_keeps(AT_FDCWD, path))
		return 0;
	return BIND_NEXT(BIND_REMOVE, bind_remove)(path);
}

int
bind_unlink(const char *path)
{
	if (bind_keeps(AT_FDCWD, path))
		return 0;
	return BIND_NEXT(BIND_UNLINK, bind_unlink)(path);
}

int
bind_unlinkat(int dirfd, const char *path, int flags)
{
	if (flags == 0 && bind_keeps(dirfd, path))
		return 0;
	return BIND_NEXT(BIND_UNLINKAT, bind_unlinkat)(dirfd, path, flags);
}
