/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that were open before: of the table that a reload replaces, of
 * the previous version of this program, of systemd's store, of an engine whose
 * monitor has died.  Runs as root, and asks the kernel what each descriptor is;
 * only sockets that are bound as the configuration says are used.
 */
#include "monitor/inherited.h"

#include "base/fd.h"

#include <netinet/in.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

/* True if the socket has this value of an option. */
static int
inherited_has(const struct inherited_item *item, int level, int name, int value)
{
	socklen_t size = sizeof(int);
	int has = 0;

	getsockopt(item->fd, level, name, &has, &size);
	return has == value;
}

/* 0 for all sockets, with older kernels. */
static uint64_t
inherited_network(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size);
	return cookie;
}

void
inherited_add(struct inherited *inherited, int fd, struct endpoint *origin)
{
	struct inherited_item item = {.fd = fd, .origin = origin};
	struct pollfd end = {.fd = fd, .events = POLLRDHUP};
	struct inherited_item *grown;
	int own;

	if (inherited->count == 0) {
		own = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		inherited->network = inherited_network(own);
		fd_close(own);
	}
	grown = fcntl(fd, F_GETFD) == -1 ?
	    NULL :
	    reallocarray(inherited->items, inherited->count + 1, sizeof(item));
	if (grown == NULL) {
		fd_close_limited(fd);
		inherited->lacks |= origin != NULL && origin->fd != -1;
		return;
	}
	inherited->items = grown;
	item.length = sizeof(item.address);
	if (getsockname(fd, (struct sockaddr *)&item.address, &item.length) ==
	    -1)
		item.length = 0;
	item.is_dead = origin != NULL && poll(&end, 1, 0) == 1 &&
	    (end.revents & POLLRDHUP) != 0;
	inherited->items[inherited->count++] = item;
}

static const char *
inherited_compare(
    const struct inherited_item *item, const struct record *record)
{
	const struct record_socket *sock = &record->u.socket;
	int v6only = (sock->flags & RECORD_V6ONLY) != 0;

	if (item->origin != NULL &&
	    record_is_lent(item->origin->record) != record_is_lent(record))
		return "its handoff cannot change while it is open";
	if (sock->address.ss_family == AF_INET6 &&
	    !inherited_has(item, IPPROTO_IPV6, IPV6_V6ONLY, v6only))
		return item->origin != NULL ?
		    "its v6only cannot change while it is open" :
		    "the socket passed to brokerd has another v6only";
	return NULL;
}

struct inherited_item *
inherited_find(struct inherited *inherited, const struct record *record,
    const char **out_wrong)
{
	const struct record_socket *sock = &record->u.socket;
	int protocol = sock->kind == RECORD_TCP ? IPPROTO_TCP :
	    sock->kind == RECORD_UDP            ? IPPROTO_UDP :
						  0;
	int type = record_socket_type(sock->kind);
	struct inherited_item *item = inherited->items;

	*out_wrong = NULL;
	for (size_t i = 0; i < inherited->count; i++, item++) {
		if (item->fd == -1 || item->length != sock->address_length ||
		    memcmp(&item->address, &sock->address, item->length) != 0 ||
		    !inherited_has(item, SOL_SOCKET, SO_TYPE, type) ||
		    !inherited_has(item, SOL_SOCKET, SO_PROTOCOL, protocol) ||
		    inherited_network(item->fd) != inherited->network ||
		    /* A worker may have shut down a socket that it was lent;
		     * endpoint_apply() listens again. */
		    (item->origin == NULL &&
			!inherited_has(item, SOL_SOCKET, SO_ACCEPTCONN,
			    record_has_connections(sock))))
			continue;
		*out_wrong = inherited_compare(item, record);
		return *out_wrong == NULL ? item : NULL;
	}
	return NULL;
}

int
inherited_take_file(struct inherited *inherited, const struct stat *file)
{
	struct inherited_item *item = inherited->items;
	struct stat st;

	for (size_t i = 0; i < inherited->count; i++, item++)
		if (item->length == 0 && fstat(item->fd, &st) == 0 &&
		    st.st_dev == file->st_dev && st.st_ino == file->st_ino)
			return fd_steal(&item->fd);
	return -1;
}

int
inherited_take_returns(struct inherited *inherited)
{
	struct inherited_item *item = inherited->items;

	for (size_t i = 0; i < inherited->count; i++, item++)
		if (item->fd != -1 && item->length == sizeof(sa_family_t) &&
		    inherited_has(item, SOL_SOCKET, SO_TYPE, SOCK_SEQPACKET) &&
		    inherited_has(item, SOL_SOCKET, SO_ACCEPTCONN, 0))
			return fd_steal(&item->fd);
	return -1;
}

void
inherited_done(struct inherited *inherited)
{
	for (size_t i = 0; i < inherited->count; i++)
		fd_close_limited(inherited->items[i].fd);
	free(inherited->items);
	*inherited = (struct inherited){.items = NULL};
}
