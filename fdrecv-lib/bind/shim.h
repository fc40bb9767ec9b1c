/* SPDX-License-Identifier: ISC */
#pragma once

#include "bind/epoll_watch.h"
#include "bind/fd_bits.h"
#include "bind/lent_sockets.h"

/* The functions that the shim replaces. */
enum shim_call {
	SHIM_ACCEPT,
	SHIM_ACCEPT4,
	SHIM_BIND,
	SHIM_CLOSE,
	SHIM_CLOSE_RANGE,
	SHIM_CLOSEFROM,
	SHIM_CONNECT,
	SHIM_DUP2,
	SHIM_DUP3,
	SHIM_EPOLL_CTL,
	SHIM_FCLOSE,
	SHIM_GETPEERNAME,
	SHIM_GETSOCKNAME,
	SHIM_GETSOCKOPT,
	SHIM_LISTEN,
	SHIM_REMOVE,
	SHIM_SETSOCKOPT,
	SHIM_SOCKET,
	SHIM_UNLINK,
	SHIM_UNLINKAT,
	SHIM_CALLS
};

/* The state of the shim in this process. */
struct shim {
	struct lent_sockets lent;
	struct epoll_watch watch;
	struct fd_bits settled; /* cannot be bound, and are not lent */
	struct fd_bits mapped;  /* IPv4 sockets in the place of IPv6 ones */
	int debug;
	void *next[SHIM_CALLS];
};

/* Functions that replace those of libc get no context, so this is global. */
extern struct shim shim;

/* The function of libc that ours replaces, of the same type; NULL if libc has
 * none. */
#define SHIM_NEXT(which, ours) ((__typeof__(&(ours)))shim_next(which))
void *shim_next(enum shim_call which);

/* Prints one line, in one write, if FDRECV_BIND_DEBUG is set. */
void shim_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
