/* SPDX-License-Identifier: ISC */
#ifndef BIND_HELD_H
#define BIND_HELD_H

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

/* The sockets that were lent to this program, as they were when it started. */
#define HELD_MAX 256

struct held_socket {
	uint64_t cookie; /* the kernel's name for it, never used again */
	int fd;
	int domain;
	int type;
	int protocol;
	int v6only;
	socklen_t length;
	struct sockaddr_storage address;
};

struct held {
	size_t count;
	struct held_socket sockets[HELD_MAX];
};

/* Adds the bound sockets among the descriptors in numbers, which are decimal
 * and separated by blanks.  Borrows them.  What is no bound socket, or too
 * many, is left out. */
void held_load(struct held *held, const char *numbers);

/* The lent descriptor that a program means which binds fd to address, or -1 if
 * there is none, or if bind(2) has to refuse it.  Borrows fd; what it returns
 * stays the table's. */
int held_find(const struct held *held, int fd, const struct sockaddr *address,
    socklen_t length);

/* 1 if fd is a lent socket or a duplicate of one, whose number may have been
 * closed.  Borrows fd. */
int held_has(const struct held *held, int fd);

/* 1 if path, looked up from dirfd as unlinkat(2) does, is the file of a lent
 * socket that is still held. */
int held_has_file(const struct held *held, int dirfd, const char *path);

#endif
