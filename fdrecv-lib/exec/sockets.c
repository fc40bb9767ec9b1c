/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the lent sockets that have come.  A socket may come twice, from
 * another engine or another mailbox, and the number of endpoints may change
 * when the broker is replaced, so they are counted by the kernel's cookie.
 */
#include "exec/sockets.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
sockets_init(struct sockets *sockets, char **names, size_t count)
{
	*sockets = (struct sockets){.names = names, .listener_count = count};
	sockets->held = calloc(count, sizeof(*sockets->held));
	sockets->expected = calloc(count, sizeof(*sockets->expected));
	if (sockets->held != NULL && sockets->expected != NULL)
		return 0;
	sockets_done(sockets);
	errno = ENOMEM;
	return -1;
}

int
sockets_find(const struct sockets *sockets, const char *name, int only)
{
	if (name[0] == '\0')
		return only;
	for (size_t i = 0; i < sockets->listener_count; i++)
		if (strcmp(sockets->names[i], name) == 0)
			return (int)i;
	return -1;
}

static int
sockets_has(const struct sockets *sockets, uint64_t cookie)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (cookie != 0 && sockets->items[i].cookie == cookie)
			return 1;
	return 0;
}

enum sockets_verdict
sockets_add(struct sockets *sockets, const struct fdrecv_handoff *h, int only)
{
	int listener = sockets_find(sockets, h->listener, only);
	struct socket_held new = {.fd = h->fd, .index = h->endpoint_index};
	socklen_t size = sizeof(new.cookie);
	struct socket_held *items;

	if (listener == -1)
		return SOCKETS_NOT_OURS;
	if (h->kind == FDRECV_CONNECTION)
		return SOCKETS_CONNECTION;
	if (getsockopt(h->fd, SOL_SOCKET, SO_COOKIE, &new.cookie, &size) == -1)
		new.cookie = 0;
	new.listener = (size_t)listener;
	sockets->expected[listener] = h->endpoint_count;
	if (sockets_has(sockets, new.cookie))
		return SOCKETS_NOT_OURS;
	items =
	    reallocarray(sockets->items, sockets->count + 1, sizeof(*items));
	if (items == NULL)
		return SOCKETS_NO_MEMORY;
	items[sockets->count++] = new;
	sockets->items = items;
	sockets->held[listener]++;
	return SOCKETS_TAKEN;
}

int
sockets_has_all(const struct sockets *sockets, size_t listener)
{
	return sockets->expected[listener] != 0 &&
	    sockets->held[listener] >= sockets->expected[listener];
}

int
sockets_complete(const struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->listener_count; i++)
		if (!sockets_has_all(sockets, i))
			return 0;
	return 1;
}

/* What was taken back was shut down; a datagram socket cannot be. */
static int
sockets_is_dead(int fd)
{
	struct pollfd look = {.fd = fd};

	return poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0;
}

int
sockets_changed(const struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++) {
		size_t listener = sockets->items[i].listener;

		if (sockets->held[listener] > sockets->expected[listener] ||
		    sockets_is_dead(sockets->items[i].fd))
			return (int)listener;
	}
	return -1;
}

static int
sockets_compare(const void *a, const void *b)
{
	const struct socket_held *sa = a, *sb = b;

	if (sa->listener != sb->listener)
		return sa->listener < sb->listener ? -1 : 1;
	return (sa->index > sb->index) - (sa->index < sb->index);
}

void
sockets_sort(struct sockets *sockets)
{
	if (sockets->count > 0)
		qsort(sockets->items, sockets->count, sizeof(*sockets->items),
		    sockets_compare);
}

void
sockets_done(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->items[i].fd != -1)
			close(sockets->items[i].fd);
	free(sockets->items);
	free(sockets->held);
	free(sockets->expected);
	*sockets = (struct sockets){.names = NULL};
}
