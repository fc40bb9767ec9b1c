/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/policy/inode_set.h"
#include "engine/policy/source_address.h"
#include "record/record.h"

/* Asks the kernel which connections are open.  Of a machine with many, it tells
 * that in pieces. */
struct socket_census {
	int fd; /* netlink; -1: not to be had */
	uint32_t sequence;
	uint64_t again_us; /* when open_count.c may begin another one */
	const void *user;  /* who has begun one; NULL: nobody */
	const struct record_socket *sock;
	/* Takes the part behind the header of one answer. */
	void (*on_answer)(
	    struct socket_census *census, const void *data, size_t size);
	void (*on_connection)(void *owner, const struct source_address *from);
	void *owner;
	struct inode_set peers; /* of a local socket: the clients' ends */
	int error;
};

/* Opens it, if the kernel lets this process. */
void socket_census_open(struct socket_census *census);

void socket_census_close(struct socket_census *census);

/* Begins to ask for connections to a bound socket (borrows it) that were
 * accepted and that a process still has, whichever it is: on_connection is
 * called for each.  0, or -1 with errno. */
int socket_census_begin(struct socket_census *census,
    const struct record_socket *sock,
    void (*on_connection)(void *owner, const struct source_address *from),
    void *owner);

/* Reads at most so many pieces of the answer, of 16 KiB.  1 the rest is to
 * come, 0 that was all, or -1 with errno if the kernel does not tell, after any
 * number of calls. */
int socket_census_go_on(struct socket_census *census, unsigned int pieces);
