/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

/* The kernel's queue of a bound socket, as ss(8) shows it. */
struct socket_queue {
	int waits;     /* at least one connection or datagram */
	int is_known;  /* the next two fields are known */
	uint32_t size; /* connections; or the memory that datagrams use */
	/* One connection or datagram more fits. */
	uint32_t limit;
	int counts_drops;
	uint32_t drops; /* what came while the queue was full, and was lost */
};

/* Asks the kernel about local sockets. */
struct socket_diag {
	int fd; /* netlink; -1: not to be had */
	uint32_t sequence;
	uint32_t backlog_most; /* 0: not known */
};

/* Opens it, if the kernel lets this process. */
void socket_diag_open(struct socket_diag *diag);

void socket_diag_close(struct socket_diag *diag);

/* Asks about the socket fd (borrows it).  Only reports may do this: it takes a
 * few system calls.  Without diag (NULL) the size of a local socket's queue is
 * not known. */
void socket_queue_ask(struct socket_diag *diag,
    const struct record_socket *sock, int fd, struct socket_queue *out_queue);

/* What its size counts: "connections", "bytes" or "datagrams". */
const char *socket_queue_unit(const struct record_socket *sock);
