/* SPDX-License-Identifier: ISC */
#pragma once

#include <fdrecv.h>
#include <stddef.h>
#include <stdint.h>

struct socket_set_item {
	int fd;
	size_t listener;    /* index in listeners */
	unsigned int index; /* of the endpoint */
	uint64_t cookie;    /* 0: not known */
};

struct socket_set_listener {
	const char *name; /* borrowed */
	size_t received;
	size_t expected; /* 0: not known yet */
	int is_overdue;  /* it was reported as incomplete */
};

/* The lent sockets that have arrived, and how many each listener has. */
struct socket_set {
	struct socket_set_listener *listeners;
	size_t listener_count;
	struct socket_set_item *items;
	size_t count;
};

enum socket_set_verdict {
	SOCKET_SET_TAKEN,
	SOCKET_SET_UNWANTED,   /* of another listener, or a duplicate */
	SOCKET_SET_CONNECTION, /* a listener hands out connections */
	SOCKET_SET_NO_MEMORY,
};

/* 0, or -1 with errno. */
int socket_set_init(struct socket_set *set, char **names, size_t count);

/* Adds a hand-off of a listener, or of an unknown one if listener is -1.  Takes
 * handoff->fd if the verdict is SOCKET_SET_TAKEN. */
enum socket_set_verdict socket_set_add(
    struct socket_set *set, const struct fdrecv_handoff *handoff, int listener);

/* The name of the listener of item i. */
const char *socket_set_name(const struct socket_set *set, size_t i);

/* True if all sockets of one listener have arrived, or those of all. */
int socket_set_has_all_of(const struct socket_set *set, size_t listener);
int socket_set_has_all(const struct socket_set *set);

/* The index of a listener whose sockets are from two configurations of the
 * broker: there are more than it has, or one was shut down.  -1 if there is
 * none. */
int socket_set_changed(const struct socket_set *set);

/* Sorts the items by listener, in the order of their names on the command line,
 * and by endpoint. */
void socket_set_sort(struct socket_set *set);

/* Closes the sockets that it still owns. */
void socket_set_done(struct socket_set *set);
