/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

#define LINGERING_MAX 256

/* Connections whose programs have ended, until their clients have received
 * everything. */
struct lingering {
	int epoll; /* readable if lingering_continue() has something to do */
	size_t count;
	struct lingering_connection {
		int fd;
		long long end_ms;
	} connections[LINGERING_MAX]; /* the oldest one first */
};

/* Ends the process with a message if it fails. */
void lingering_init(struct lingering *lingering);

/* Sends the end of file to the client, then drops what the client still sends,
 * until the client closes or LINGERING_MS have passed.  Closes the oldest
 * connection if there are LINGERING_MAX.  Takes fd. */
void lingering_add(struct lingering *lingering, int fd);

/* Does all that can be done without waiting. */
void lingering_continue(struct lingering *lingering);

/* Milliseconds until lingering_continue() has to be called, or -1. */
int lingering_left_ms(const struct lingering *lingering);

/* Closes all. */
void lingering_done(struct lingering *lingering);
