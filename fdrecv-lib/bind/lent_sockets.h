/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_BIND_LENT_SOCKETS_H
#define FDRECV_BIND_LENT_SOCKETS_H

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

/* The sockets that were lent to this program, as they were when it started. */
#define LENT_SOCKETS_MAX 256

struct lent_sockets_socket {
	uint64_t cookie; /* the kernel's name for it, never used again */
	int fd;
	int domain;
	int type;
	int protocol;
	int v6only;
	socklen_t length;
	struct sockaddr_storage address;
};

struct lent_sockets {
	size_t count;
	struct lent_sockets_socket sockets[LENT_SOCKETS_MAX];
};

/* Adds the bound sockets among the descriptors in numbers, which are decimal
 * and separated by blanks.  Borrows them.  What is no bound socket, or too
 * many, is left out. */
void lent_sockets_load(struct lent_sockets *held, const char *numbers);

/* The lent descriptor that a program means which binds fd to address, or -1 if
 * there is none, or if bind(2) has to refuse it.  Borrows fd; what it returns
 * stays the table's. */
int lent_sockets_find(const struct lent_sockets *held, int fd,
    const struct sockaddr *address, socklen_t length);

/* 1 if fd is a lent socket or a duplicate of one, whose number may have been
 * closed.  Borrows fd. */
int lent_sockets_has(const struct lent_sockets *held, int fd);

/* 1 if path, looked up from dirfd as unlinkat(2) does, is the file of a lent
 * socket that is still held. */
int lent_sockets_has_file(
    const struct lent_sockets *held, int dirfd, const char *path);

#endif
