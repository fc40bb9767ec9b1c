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
#include "held.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <net/if.h>
#include <netinet/in.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for a path of 108 bytes, which has no NUL of its own. */
#define HELD_PATH_SIZE (sizeof(((struct sockaddr_un *)0)->sun_path) + 1)

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

/* -1 for what has no port. */
static int
held_port(const struct sockaddr_storage *address)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memcpy(&in, address, sizeof(in));
	memcpy(&in6, address, sizeof(in6));
	return address->ss_family == AF_INET ? ntohs(in.sin_port) :
	    address->ss_family == AF_INET6   ? ntohs(in6.sin6_port) :
					       -1;
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
	    held_port(&socket->address) > 0;
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

/* The path of a Unix-domain address, which ends at a NUL or at its length; ""
 * for an abstract one or none. */
static void
held_path(const struct sockaddr_storage *address, socklen_t length,
    char path[HELD_PATH_SIZE])
{
	struct sockaddr_un un;
	size_t room = length - offsetof(struct sockaddr_un, sun_path);

	memcpy(&un, address, sizeof(un));
	if (room > sizeof(un.sun_path))
		room = sizeof(un.sun_path);
	memcpy(path, un.sun_path, room);
	path[room] = '\0';
}

static const char *
held_last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* The same file, whatever way leads there.  The last part of both ways is the
 * same then, which is asked first: that costs nothing. */
static int
held_is_file(const char *lent, int dirfd, const char *path)
{
	struct stat ours, theirs;

	return strcmp(held_last_part(lent), held_last_part(path)) == 0 &&
	    lstat(lent, &ours) == 0 && S_ISSOCK(ours.st_mode) &&
	    fstatat(dirfd, path, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static int
held_is_unix(const struct held_socket *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	char ours[HELD_PATH_SIZE], theirs[HELD_PATH_SIZE];

	held_path(&lent->address, lent->length, ours);
	held_path(address, length, theirs);
	if (ours[0] == '\0' || theirs[0] == '\0')
		return lent->length == length &&
		    memcmp(&lent->address, address, length) == 0;
	return strcmp(ours, theirs) == 0 ||
	    held_is_file(ours, AT_FDCWD, theirs);
}

static int
held_is_inet(const struct held_socket *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_in ours, theirs;

	memcpy(&ours, &lent->address, sizeof(ours));
	memcpy(&theirs, address, sizeof(theirs));
	return length >= sizeof(theirs) && ours.sin_port == theirs.sin_port &&
	    ours.sin_addr.s_addr == theirs.sin_addr.s_addr;
}

static int
held_is_inet6(const struct held_socket *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_in6 ours, theirs;

	memcpy(&ours, &lent->address, sizeof(ours));
	memcpy(&theirs, address, sizeof(theirs));
	return length >= sizeof(theirs) && ours.sin6_port == theirs.sin6_port &&
	    memcmp(&ours.sin6_addr, &theirs.sin6_addr,
		sizeof(ours.sin6_addr)) == 0 &&
	    (!IN6_IS_ADDR_LINKLOCAL(&ours.sin6_addr) ||
		ours.sin6_scope_id == theirs.sin6_scope_id);
}

static int
held_is_address(const struct held_socket *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	if (lent->address.ss_family != address->ss_family)
		return 0;
	switch (address->ss_family) {
	case AF_INET:
		return held_is_inet(lent, address, length);
	case AF_INET6:
		return held_is_inet6(lent, address, length);
	case AF_UNIX:
		return held_is_unix(lent, address, length);
	default:
		return 0;
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
		    held_port(&held->sockets[i].address) ==
			held_port(&lent->address))
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
		    held_is_address(lent, &wanted, length) &&
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
	char file[HELD_PATH_SIZE];

	for (size_t i = 0; path != NULL && i < held->count; i++) {
		lent = &held->sockets[i];
		if (lent->domain != AF_UNIX)
			continue;
		held_path(&lent->address, lent->length, file);
		if (file[0] != '\0' && held_is_file(file, dirfd, path) &&
		    held_cookie(lent->fd) == lent->cookie)
			return 1;
	}
	return 0;
}
