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
#include "bind/lent_sockets.h"

#include "bind/sockaddr_match.h"

#include <sys/un.h>

#include <net/if.h>
#include <netinet/in.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int
lent_sockets_option(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	getsockopt(fd, level, name, &value, &size);
	return value;
}

/* 0 is no socket's. */
static uint64_t
lent_sockets_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

/* What fd is and is bound to; 0, or -1 if that is no socket.  Without an
 * address it has port 0, or no more than a family. */
static int
lent_sockets_describe(int fd, struct lent_sockets_socket *out_socket)
{
	struct lent_sockets_socket socket = {.fd = fd,
	    .cookie = lent_sockets_cookie(fd),
	    .domain = lent_sockets_option(fd, SOL_SOCKET, SO_DOMAIN),
	    .type = lent_sockets_option(fd, SOL_SOCKET, SO_TYPE),
	    .protocol = lent_sockets_option(fd, SOL_SOCKET, SO_PROTOCOL),
	    .v6only = lent_sockets_option(fd, IPPROTO_IPV6, IPV6_V6ONLY),
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
lent_sockets_is_bound(const struct lent_sockets_socket *socket)
{
	return socket->domain == AF_UNIX ?
	    socket->length > offsetof(struct sockaddr_un, sun_path) :
	    sockaddr_match_port(&socket->address) > 0;
}

void
lent_sockets_load(struct lent_sockets *held, const char *numbers)
{
	struct lent_sockets_socket socket;
	char *end;
	long fd;

	for (; held->count < LENT_SOCKETS_MAX; numbers = end) {
		fd = strtol(numbers, &end, 10);
		if (end == numbers)
			break;
		if (fd >= 0 && fd <= INT_MAX &&
		    lent_sockets_describe((int)fd, &socket) == 0 &&
		    lent_sockets_is_bound(&socket))
			held->sockets[held->count++] = socket;
	}
}

/* Both hear all interfaces, or the same one. */
static int
lent_sockets_is_device(int one, int other)
{
	char names[2][IFNAMSIZ] = {"", ""};
	socklen_t size = IFNAMSIZ;

	getsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, names[0], &size);
	size = IFNAMSIZ;
	getsockopt(other, SOL_SOCKET, SO_BINDTODEVICE, names[1], &size);
	return strncmp(names[0], names[1], IFNAMSIZ) == 0;
}

static int
lent_sockets_is_kind(const struct lent_sockets_socket *one,
    const struct lent_sockets_socket *other)
{
	return one->type == other->type && one->protocol == other->protocol;
}

/* IPV6_V6ONLY counts where the address is the wildcard only. */
static int
lent_sockets_is_family(const struct lent_sockets *held,
    const struct lent_sockets_socket *lent,
    const struct lent_sockets_socket *socket)
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
		    lent_sockets_is_kind(&held->sockets[i], socket) &&
		    sockaddr_match_port(&held->sockets[i].address) ==
			sockaddr_match_port(&lent->address))
			return 0;
	return 1;
}

int
lent_sockets_find(const struct lent_sockets *held, int fd,
    const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_storage wanted = {0};
	const struct lent_sockets_socket *lent;
	struct lent_sockets_socket socket;

	if (held->count == 0 || address == NULL ||
	    length <= offsetof(struct sockaddr_un, sun_path) ||
	    length > sizeof(wanted) ||
	    lent_sockets_describe(fd, &socket) == -1 ||
	    lent_sockets_is_bound(&socket))
		return -1;
	memcpy(&wanted, address, length);
	for (size_t i = 0; i < held->count; i++) {
		lent = &held->sockets[i];
		if (lent->domain == socket.domain &&
		    lent_sockets_is_kind(lent, &socket) &&
		    sockaddr_match_is(
			&lent->address, lent->length, &wanted, length) &&
		    lent_sockets_is_family(held, lent, &socket) &&
		    lent_sockets_cookie(lent->fd) == lent->cookie &&
		    lent_sockets_is_device(lent->fd, fd))
			return lent->fd;
	}
	return -1;
}

int
lent_sockets_has(const struct lent_sockets *held, int fd)
{
	uint64_t cookie = held->count == 0 ? 0 : lent_sockets_cookie(fd);

	for (size_t i = 0; cookie != 0 && i < held->count; i++)
		if (held->sockets[i].cookie == cookie)
			return 1;
	return 0;
}

int
lent_sockets_has_file(
    const struct lent_sockets *held, int dirfd, const char *path)
{
	const struct lent_sockets_socket *lent;

	for (size_t i = 0; path != NULL && i < held->count; i++) {
		lent = &held->sockets[i];
		if (sockaddr_match_is_file(
			&lent->address, lent->length, dirfd, path) &&
		    lent_sockets_cookie(lent->fd) == lent->cookie)
			return 1;
	}
	return 0;
}
