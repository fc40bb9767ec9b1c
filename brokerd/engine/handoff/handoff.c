/* SPDX-License-Identifier: ISC */
/*
 * The hand-off: who connected, when, to what.  Engine, unprivileged.  After it
 * is sent, its descriptor is shared with a stranger.
 */
#include "engine/handoff/handoff.h"

#include "engine/handoff/bounded_close.h"

#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef SO_PEERSEC
#define SO_PEERSEC 31
#endif

int
handoff_reserve(struct handoff **reserved)
{
	if (*reserved == NULL)
		*reserved = malloc(sizeof(**reserved));
	return *reserved == NULL ? -1 : 0;
}

static struct handoff *
handoff_take(struct handoff **reserved, const struct record_endpoint *endpoint,
    struct stats_listener *stats, int fd)
{
	struct handoff *handoff;
	struct timespec now;

	if (handoff_reserve(reserved) == -1)
		return NULL;
	handoff = *reserved;
	*reserved = NULL;
	memset(handoff, 0, offsetof(struct handoff, peer));
	clock_gettime(CLOCK_REALTIME, &now);
	handoff->endpoint = endpoint;
	handoff->stats = stats;
	handoff->fd = fd;
	handoff->accept_time_ns =
	    (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return handoff;
}

/* The address that the client connected to is the endpoint's, unless that is a
 * wildcard. */
static void
handoff_find_local(struct handoff *handoff)
{
	const struct sockaddr_storage *bound =
	    &handoff->endpoint->socket.address;
	const struct sockaddr_in *in = (const void *)bound;

	if (bound->ss_family == AF_UNIX ||
	    (bound->ss_family == AF_INET &&
		in->sin_addr.s_addr != htonl(INADDR_ANY))) {
		handoff->local_length =
		    handoff->endpoint->socket.address_length;
		memcpy(&handoff->local, bound, handoff->local_length);
		return;
	}
	handoff->local_length = sizeof(handoff->local);
	if (getsockname(handoff->fd, (struct sockaddr *)&handoff->local,
		&handoff->local_length) == -1)
		handoff->local_length = 0;
}

/* If the kernel does not report it, the client is unknown, never root. */
static void
handoff_find_client(struct handoff *handoff)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(handoff->fd, SOL_SOCKET, SO_PEERCRED, &credentials,
		&size) == 0 &&
	    size == sizeof(credentials)) {
		handoff->credentials = credentials;
		handoff->has_credentials = 1;
	}
	size = sizeof(handoff->label) - 1;
	if (getsockopt(handoff->fd, SOL_SOCKET, SO_PEERSEC, handoff->label,
		&size) == 0)
		handoff->label_length = strnlen(handoff->label, size);
}

struct handoff *
handoff_new(struct handoff **reserved, const struct record_endpoint *endpoint,
    struct stats_listener *stats, struct bounded_close *bounded, int fd,
    const struct sockaddr_storage *peer, socklen_t peer_length)
{
	struct handoff *handoff = handoff_take(reserved, endpoint, stats, fd);

	if (handoff == NULL)
		return NULL;
	handoff->bounded = bounded;
	handoff->peer_length = peer_length;
	memcpy(&handoff->peer, peer, peer_length);
	handoff_find_local(handoff);
	if (endpoint->socket.address.ss_family == AF_UNIX)
		handoff_find_client(handoff);
	return handoff;
}

struct handoff *
handoff_new_lent(const struct record_endpoint *endpoint,
    struct stats_listener *stats, int fd)
{
	struct handoff *reserved = NULL;
	struct handoff *handoff = handoff_take(&reserved, endpoint, stats, fd);
	socklen_t size;

	if (handoff == NULL)
		return NULL;
	size = sizeof(handoff->cookie);
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &handoff->cookie, &size) ==
	    -1)
		handoff->cookie = 0;
	handoff->local_length = endpoint->socket.address_length;
	memcpy(
	    &handoff->local, &endpoint->socket.address, handoff->local_length);
	return handoff;
}

/* SO_LINGER belongs to the socket, not to a descriptor: a worker can set it,
 * fill the send buffer and so make our close(2) wait.  {1, 0} does not wait;
 * it asks for a reset and stays.  This is not enough: the worker may set it
 * again, and local clients can send sockets that linger, which nobody ever
 * receives.  Hence bounded_close as well. */
int
handoff_stop_linger(struct handoff *handoff)
{
	struct linger linger = {0, 0};
	socklen_t size = sizeof(linger);

	handoff->linger_checked = 1;
	if (getsockopt(handoff->fd, SOL_SOCKET, SO_LINGER, &linger, &size) ==
		-1 ||
	    !linger.l_onoff || linger.l_linger == 0)
		return 0;
	linger = (struct linger){0, 0};
	setsockopt(handoff->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return 1;
}

void
handoff_free(struct handoff *handoff)
{
	if (handoff->endpoint->handoff == RECORD_CONNECTION) {
		if (handoff->sent && !handoff->linger_checked)
			handoff_stop_linger(handoff);
		bounded_close_fd(handoff->bounded, handoff->fd);
	}
	free(handoff);
}

void
handoff_free_list(struct handoff_list *list)
{
	struct handoff *handoff;

	while ((handoff = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, handoff, entry);
		handoff_free(handoff);
	}
}
