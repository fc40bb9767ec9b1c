/* SPDX-License-Identifier: ISC */
#pragma once

#include "exec/socket_set.h"

#include <sys/types.h>

struct cmdline;

/* A lent socket, and what the program did with it. */
struct observer_socket {
	ino_t inode;
	int number; /* kept for the bind shim, or -1 */
	int is_taken;
	const char *listener;
	char address[SOCKET_SET_TEXT_SIZE];
};

struct observer {
	const struct cmdline *cmdline;
	struct observer_socket *sockets;
	size_t count;
	size_t taken;  /* of them, at the last look */
	int is_hidden; /* this user could not see it all, or it has ended */
};

/* Notes the sockets, before they are handed out. */
void observer_init(struct observer *observer, const struct cmdline *cmdline,
    const struct socket_set *sockets);

/* Starts a process that for a few seconds looks which sockets the program, that
 * this process will execute, takes, and reports the others on standard error.
 * Frees what was noted. */
void observer_start(struct observer *observer);
