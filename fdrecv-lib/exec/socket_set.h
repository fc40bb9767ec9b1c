/* SPDX-License-Identifier: ISC */
#pragma once

#include <fdrecv.h>
#include <stddef.h>
#include <stdint.h>

struct socket_set_listener {
	const char *name; /* borrowed */
	size_t received;
	size_t expected; /* 0: not known yet */
	int is_overdue;  /* it was reported as incomplete */
};

struct socket_set_item {
	int fd;
	const struct socket_set_listener *listener;
	unsigned int index; /* of the endpoint */
	uint64_t cookie;    /* 0: not known */
};

/* The lent sockets that have arrived, and how many each listener has. */
struct socket_set {
	struct socket_set_listener *listeners;
	size_t listener_count;
	struct socket_set_item *items;
	size_t count;
};

/* Ends the process with a message if there is no memory. */
void socket_set_init(struct socket_set *set, char **names, size_t count);

/* Adds a lent socket of a listener, and takes handoff->fd.  False if the set
 * has that socket already.  Ends the process if there is no memory. */
int socket_set_add(struct socket_set *set, const struct fdrecv_handoff *handoff,
    size_t listener);

/* True if all sockets of a listener have arrived. */
int socket_set_has_all(const struct socket_set_listener *listener);

/* A listener whose sockets have not all arrived, or NULL. */
const struct socket_set_listener *socket_set_missing(
    const struct socket_set *set);

/* A listener whose sockets are from two configurations of the broker: there are
 * more than it has, or one was shut down.  NULL if there is none. */
const struct socket_set_listener *socket_set_changed(
    const struct socket_set *set);

/* Sorts the items by listener, in the order of their names on the command line,
 * and by endpoint. */
void socket_set_sort(struct socket_set *set);

#define SOCKET_SET_TEXT_SIZE 128

/* Writes the address as nginx writes it: [::]:80, 127.0.0.1:80 or
 * unix:/run/socket. */
void socket_set_describe(
    const struct socket_set_item *item, char text[SOCKET_SET_TEXT_SIZE]);

/* Closes the sockets that it still owns. */
void socket_set_done(struct socket_set *set);
