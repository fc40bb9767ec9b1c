/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the lent sockets that have arrived.  A socket may arrive twice,
 * from two engines or at two mailboxes, and the number of endpoints may change
 * when the broker is replaced.  So sockets are identified by the kernel's
 * cookie.
 */
#include "exec/socket_set.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

void
socket_set_init(struct socket_set *set, char **names, size_t count)
{
	*set = (struct socket_set){.listener_count = count};
	set->listeners = calloc(count, sizeof(*set->listeners));
	if (set->listeners == NULL)
		err(EX_OSERR, "listeners");
	for (size_t i = 0; i < count; i++)
		set->listeners[i].name = names[i];
}

static int
socket_set_has(const struct socket_set *set, uint64_t cookie)
{
	for (size_t i = 0; i < set->count; i++)
		if (cookie != 0 && set->items[i].cookie == cookie)
			return 1;
	return 0;
}

int
socket_set_add(struct socket_set *set, const struct fdrecv_handoff *handoff,
    size_t listener)
{
	struct socket_set_listener *of = &set->listeners[listener];
	struct socket_set_item new = {.fd = handoff->fd,
	    .listener = of,
	    .index = handoff->endpoint_index};
	socklen_t size = sizeof(new.cookie);
	struct socket_set_item *items;

	if (getsockopt(new.fd, SOL_SOCKET, SO_COOKIE, &new.cookie, &size) == -1)
		new.cookie = 0;
	of->expected = handoff->endpoint_count;
	if (socket_set_has(set, new.cookie))
		return 0;
	items = reallocarray(set->items, set->count + 1, sizeof(*items));
	if (items == NULL)
		errx(EX_OSERR, "out of memory");
	items[set->count++] = new;
	set->items = items;
	of->received++;
	return 1;
}

int
socket_set_has_all(const struct socket_set_listener *listener)
{
	return listener->expected != 0 &&
	    listener->received >= listener->expected;
}

const struct socket_set_listener *
socket_set_missing(const struct socket_set *set)
{
	for (size_t i = 0; i < set->listener_count; i++)
		if (!socket_set_has_all(&set->listeners[i]))
			return &set->listeners[i];
	return NULL;
}

/* The broker shuts a lent socket down when its listener is removed; this does
 * not work for datagram sockets. */
static int
socket_set_is_shut(int fd)
{
	struct pollfd hangup = {.fd = fd};

	return poll(&hangup, 1, 0) == 1 && (hangup.revents & POLLHUP) != 0;
}

const struct socket_set_listener *
socket_set_changed(const struct socket_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct socket_set_listener *of = set->items[i].listener;

		if (of->received > of->expected ||
		    socket_set_is_shut(set->items[i].fd))
			return of;
	}
	return NULL;
}

static int
socket_set_compare(const void *a, const void *b)
{
	const struct socket_set_item *one = a, *other = b;

	if (one->listener != other->listener)
		return one->listener < other->listener ? -1 : 1;
	return (one->index > other->index) - (one->index < other->index);
}

void
socket_set_sort(struct socket_set *set)
{
	if (set->count > 0)
		qsort(set->items, set->count, sizeof(*set->items),
		    socket_set_compare);
}

void
socket_set_describe(
    const struct socket_set_item *item, char text[SOCKET_SET_TEXT_SIZE])
{
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_storage space;
	} u = {.any = {0}};
	socklen_t length = sizeof(u) - 1;
	char host[64] = "?", port[8] = "?";

	getsockname(item->fd, &u.any, &length);
	if (u.any.sa_family == AF_UNIX) {
		snprintf(text, SOCKET_SET_TEXT_SIZE, "unix:%s%.107s",
		    u.local.sun_path[0] == '\0' ? "@" : "",
		    u.local.sun_path + (u.local.sun_path[0] == '\0'));
		return;
	}
	getnameinfo(&u.any, length, host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, SOCKET_SET_TEXT_SIZE,
	    u.any.sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

void
socket_set_done(struct socket_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].fd != -1)
			close(set->items[i].fd);
	free(set->items);
	free(set->listeners);
	*set = (struct socket_set){.listeners = NULL};
}
