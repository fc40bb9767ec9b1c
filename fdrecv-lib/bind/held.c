/* SPDX-License-Identifier: ISC */
/*
 * Which lent socket an address means.  Runs in a program that knows nothing of
 * it, and that may have closed the lent descriptors and used their numbers
 * again: the kernel's cookie tells.
 *
 * A program never gets a socket that hears more than it asked for, so that
 * what is meant for 127.0.0.1 alone is never open to everybody.  It gets one
 * that hears less in one case: an IPv6 wildcard without the IPv4 side, where
 * nobody was lent that side.
 */
#include "bind/held.h"

#include "bind/place.h"

#include <sys/un.h>

#include <net/if.h>
#include <netinet/in.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int
held_option(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	getsockopt(fd, level, name, &value, &size);
	return value;
}

/* 0 is no socket's. */
static uint64_t
held_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

/* What fd is and is bound to; 0, or -1 if that is no socket.  Without an
 * address it has port 0, or no more than a family. */
static int
held_describe(int fd, struct held_socket *out_socket)
{
	struct held_socket socket = {.fd = fd,
	    .cookie = held_cookie(fd),
	    .domain = held_option(fd, SOL_SOCKET, SO_DOMAIN),
	    .type = held_option(fd, SOL_SOCKET, SO_TYPE),
	    .protocol = held_option(fd, SOL_SOCKET, SO_PROTOCOL),
	    .v6only = held_option(fd, IPPROTO_IPV6, IPV6_V6ONLY),
	    .length = sizeof(socket.address)};

	if (socket.cookie == 0 ||
	    getsockname(
		fd, (struct sockaddr *)&socket.address, &socket.length) == -1 ||
	    socket.length > sizeof(socket.address))
		return -1;
	*out_socket = socket;
	return 0;
}

static int
held_is_bound(const struct held_socket *socket)
{
	return socket->domain == AF_UNIX ?
	    socket->length > offsetof(struct sockaddr_un, sun_path) :
	    place_port(&socket->address) > 0;
}

void
held_load(struct held *held, const char *numbers)
{
	struct held_socket socket;
	char *end;
	long fd;

	for (; held->count < HELD_MAX; numbers = end) {
		fd = strtol(numbers, &end, 10);
		if (end == numbers)
			break;
		if (fd >= 0 && fd <= INT_MAX &&
		    held_describe((int)fd, &socket) == 0 &&
		    held_is_bound(&socket))
			held->sockets[held->count++] = socket;
	}
}

/* Both hear all interfaces, or the same one. */
static int
held_is_device(int one, int other)
{
	char names[2][IFNAMSIZ] = {"", ""};
	socklen_t size = IFNAMSIZ;

	getsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, names[0], &size);
	size = IFNAMSIZ;
	getsockopt(other, SOL_SOCKET, SO_BINDTODEVICE, names[1], &size);
	return strncmp(names[0], names[1], IFNAMSIZ) == 0;
}

static int
held_is_kind(const struct held_socket *one, const struct held_socket *other)
{
	return one->type == other->type && one->protocol == other->protocol;
}

/* IPV6_V6ONLY counts where the address is the wildcard only. */
static int
held_is_family(const struct held *held, const struct held_socket *lent,
    const struct held_socket *socket)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, &lent->address, sizeof(in6));
	if (lent->domain != AF_INET6 || lent->v6only == socket->v6only ||
	    !IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr))
		return 1;
	if (!lent->v6only)
		return 0;
	for (size_t i = 0; i < held->count; i++)
		if (held->sockets[i].domain == AF_INET &&
		    held_is_kind(&held->sockets[i], socket) &&
		    place_port(&held->sockets[i].address) ==
			place_port(&lent->address))
			return 0;
	return 1;
}

int
held_find(const struct held *held, int fd, const struct sockaddr *address,
    socklen_t length)
{
	struct sockaddr_storage wanted = {0};
	const struct held_socket *lent;
	struct held_socket socket;

	if (held->count == 0 || address == NULL ||
	    length <= offsetof(struct sockaddr_un, sun_path) ||
	    length > sizeof(wanted) || held_describe(fd, &socket) == -1 ||
	    held_is_bound(&socket))
		return -1;
	memcpy(&wanted, address, length);
	for (size_t i = 0; i < held->count; i++) {
		lent = &held->sockets[i];
		if (lent->domain == socket.domain &&
		    held_is_kind(lent, &socket) &&
		    place_is(&lent->address, lent->length, &wanted, length) &&
		    held_is_family(held, lent, &socket) &&
		    held_cookie(lent->fd) == lent->cookie &&
		    held_is_device(lent->fd, fd))
			return lent->fd;
	}
	return -1;
}

int
held_has(const struct held *held, int fd)
{
	uint64_t cookie = held->count == 0 ? 0 : held_cookie(fd);

	for (size_t i = 0; cookie != 0 && i < held->count; i++)
		if (held->sockets[i].cookie == cookie)
			return 1;
	return 0;
}

int
held_has_file(const struct held *held, int dirfd, const char *path)
{
	const struct held_socket *lent;

	for (size_t i = 0; path != NULL && i < held->count; i++) {
		lent = &held->sockets[i];
		if (place_is_file(&lent->address, lent->length, dirfd, path) &&
		    held_cookie(lent->fd) == lent->cookie)
			return 1;
	}
	return 0;
}
