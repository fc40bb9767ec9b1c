/* SPDX-License-Identifier: ISC */
#pragma once

#include "bind/epoll_watch.h"
#include "bind/fd_bits.h"
#include "bind/lent_sockets.h"

/* The functions that the shim replaces. */
#define SHIM_FUNCTIONS(X)                                              \
	X(accept), X(accept4), X(bind), X(close), X(close_range),      \
	    X(closefrom), X(connect), X(dup2), X(dup3), X(epoll_ctl),  \
	    X(fclose), X(getpeername), X(getsockname), X(getsockopt),  \
	    X(listen), X(remove), X(setsockopt), X(socket), X(unlink), \
	    X(unlinkat)
#define SHIM_NUMBER(name) SHIM_##name

enum shim_function { SHIM_FUNCTIONS(SHIM_NUMBER), SHIM_COUNT };

/* The state of the shim in this process. */
struct shim {
	struct lent_sockets lent;
	struct epoll_watch watch;
	struct fd_bits settled; /* cannot be bound, and are not lent */
	struct fd_bits mapped;  /* IPv4 sockets in the place of IPv6 ones */
	int debug;
	void *next[SHIM_COUNT];
};

/* Functions that replace those of libc get no context, so this is global. */
extern struct shim shim;

/* The function of libc that ours replaces, of the same type; NULL if libc has
 * none. */
#define SHIM_NEXT(name, ours) ((__typeof__(&(ours)))shim_next(SHIM_##name))
void *shim_next(enum shim_function which);

/* Prints one line, in one write, if FDRECV_BIND_DEBUG is set. */
void shim_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
