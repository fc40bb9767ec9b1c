/* SPDX-License-Identifier: ISC */
#pragma once

#include "bind/sockaddr_match.h"

#include <stddef.h>
#include <stdint.h>

#define LENT_SOCKETS_MAX 256

struct lent_sockets_entry {
	uint64_t cookie; /* identifies the socket, never reused */
	int fd;
	int domain;
	int type;
	int protocol;
	int v6only;
	struct sockaddr_match address;
};

/* The sockets that were lent to this program, as they were at its start. */
struct lent_sockets {
	size_t count;
	struct lent_sockets_entry entries[LENT_SOCKETS_MAX];
};

/* Adds the bound sockets among the descriptors in numbers, which are decimal
 * and separated by blanks.  Borrows them.  Ignores other descriptors, and those
 * for which there is no room. */
void lent_sockets_load(struct lent_sockets *lent, const char *numbers);

/* The descriptor of the lent socket that a program wants when it binds fd to
 * address, or -1 if there is none, or if bind(2) has to fail.  Borrows fd and
 * the result.  *out_is_mapped is 1 if fd is an IPv6 socket and the result an
 * IPv4 one. */
int lent_sockets_find(const struct lent_sockets *lent, int fd,
    const struct sockaddr *address, socklen_t length, int *out_is_mapped);

/* True if fd is a socket without an address, or of which the kernel does not
 * tell.  Borrows fd. */
int lent_sockets_may_be_bound(int fd);

/* True if fd is a lent socket or a duplicate of one, whose own number may have
 * been closed.  Borrows fd. */
int lent_sockets_has(const struct lent_sockets *lent, int fd);

/* True if path, looked up from dirfd as unlinkat(2) does, is the file of a lent
 * socket that is still open under its number. */
int lent_sockets_has_file(
    const struct lent_sockets *lent, int dirfd, const char *path);
