/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_SOCKETS_H
#define FDRECV_EXEC_SOCKETS_H

#include <fdrecv.h>
#include <stddef.h>
#include <stdint.h>

/* A lent socket. */
struct socket_held {
	int fd;
	size_t listener; /* which of those named */
	unsigned int index;
	uint64_t cookie;
};

/* The lent sockets that are here, and how many there are to be. */
struct sockets {
	char **names; /* of the listeners, borrowed */
	size_t listener_count;
	size_t *held;     /* of each listener */
	size_t *expected; /* of each, 0: not known yet */
	struct socket_held *items;
	size_t count;
};

/* What became of a hand-off. */
enum sockets_verdict {
	SOCKETS_TAKEN,
	SOCKETS_NOT_OURS,   /* of another listener, or here already */
	SOCKETS_CONNECTION, /* of one of the listeners, but no lent socket */
	SOCKETS_NO_MEMORY,
};

/* 0, or -1 with errno. */
int sockets_init(struct sockets *sockets, char **names, size_t count);

/* The number of a listener, or -1.  One without a name is that of a sender
 * of 2002: it is only, the mailbox's one listener, or -1 if it has more. */
int sockets_find(const struct sockets *sockets, const char *name, int only);

/* Takes h->fd if the verdict is SOCKETS_TAKEN.  only as above. */
enum sockets_verdict sockets_add(
    struct sockets *sockets, const struct fdrecv_handoff *h, int only);

/* True if everything is here that was lent of one listener. */
int sockets_has_all(const struct sockets *sockets, size_t listener);

/* True if everything is here that was lent. */
int sockets_complete(const struct sockets *sockets);

/* The number of a listener whose sockets are not all of one time: there are
 * more than it has, or one was taken back.  -1 if there is none. */
int sockets_changed(const struct sockets *sockets);

/* By listener as named, then by endpoint. */
void sockets_sort(struct sockets *sockets);

/* Closes what it holds. */
void sockets_done(struct sockets *sockets);

#endif
