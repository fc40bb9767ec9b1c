/* SPDX-License-Identifier: ISC */
/*
 * The table of lent sockets, and which of them an address means.  Runs in a
 * program that knows nothing of it.  The program may have closed a lent
 * descriptor and reused its number, so the kernel's cookie identifies sockets.
 *
 * A program never gets a socket that accepts more than it asked for: one that
 * binds 127.0.0.1 is never open to everybody.  If it binds the IPv6 wildcard
 * with IPv4 and only one of the two was lent, it gets that one, which accepts
 * less.
 */
#include "bind/lent_sockets.h"

#include "bind/mapped.h"

#include <net/if.h>

#include <errno.h>
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

/* 0 if fd is not a socket. */
static uint64_t
lent_sockets_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return cookie;
}

/* Asks the kernel what fd is and where it is bound.  0, or -1 if it is not a
 * socket.  Borrows fd. */
static int
lent_sockets_describe(int fd, struct lent_sockets_entry *out_entry)
{
	struct lent_sockets_entry entry = {.fd = fd,
	    .cookie = lent_sockets_cookie(fd),
	    .domain = lent_sockets_option(fd, SOL_SOCKET, SO_DOMAIN),
	    .type = lent_sockets_option(fd, SOL_SOCKET, SO_TYPE),
	    .protocol = lent_sockets_option(fd, SOL_SOCKET, SO_PROTOCOL),
	    .v6only = lent_sockets_option(fd, IPPROTO_IPV6, IPV6_V6ONLY),
	    .address = {.length = sizeof(entry.address.u)}};

	if (entry.cookie == 0 ||
	    getsockname(fd, &entry.address.u.any, &entry.address.length) ==
		-1 ||
	    entry.address.length > sizeof(entry.address.u))
		return -1;
	*out_entry = entry;
	return 0;
}

/* An unbound socket has port 0, or only a family. */
static int
lent_sockets_is_bound(const struct lent_sockets_entry *entry)
{
	return entry->domain == AF_UNIX ?
	    entry->address.length > offsetof(struct sockaddr_un, sun_path) :
	    sockaddr_match_port(&entry->address) > 0;
}

void
lent_sockets_load(struct lent_sockets *lent, const char *numbers)
{
	struct lent_sockets_entry entry;
	char *end;
	long fd;

	for (; lent->count < LENT_SOCKETS_MAX; numbers = end) {
		fd = strtol(numbers, &end, 10);
		if (end == numbers)
			break;
		if (fd >= 0 && fd <= INT_MAX &&
		    lent_sockets_describe((int)fd, &entry) == 0 &&
		    lent_sockets_is_bound(&entry))
			lent->entries[lent->count++] = entry;
	}
}

/* True if both are bound to the same interface, or to none. */
static int
lent_sockets_same_device(int one, int other)
{
	char names[2][IFNAMSIZ] = {"", ""};
	socklen_t size = IFNAMSIZ;

	getsockopt(one, SOL_SOCKET, SO_BINDTODEVICE, names[0], &size);
	size = IFNAMSIZ;
	getsockopt(other, SOL_SOCKET, SO_BINDTODEVICE, names[1], &size);
	return strncmp(names[0], names[1], IFNAMSIZ) == 0;
}

static int
lent_sockets_same_kind(const struct lent_sockets_entry *one,
    const struct lent_sockets_entry *other)
{
	return one->type == other->type && one->protocol == other->protocol;
}

/* True unless IPV6_V6ONLY differs in a way that matters: only for the wildcard
 * address, and only if the program would get more, or others have IPv4. */
static int
lent_sockets_fits_v6only(const struct lent_sockets *lent,
    const struct lent_sockets_entry *entry,
    const struct lent_sockets_entry *wanted)
{
	const struct lent_sockets_entry *other;

	if (entry->domain != AF_INET6 || entry->v6only == wanted->v6only ||
	    !IN6_IS_ADDR_UNSPECIFIED(&entry->address.u.in6.sin6_addr))
		return 1;
	if (!entry->v6only)
		return 0;
	for (size_t i = 0; i < lent->count; i++) {
		other = &lent->entries[i];
		if (other->domain == AF_INET &&
		    lent_sockets_same_kind(other, wanted) &&
		    sockaddr_match_port(&other->address) ==
			sockaddr_match_port(&entry->address))
			return 0;
	}
	return 1;
}

static int
lent_sockets_is_open(const struct lent_sockets_entry *entry)
{
	return lent_sockets_cookie(entry->fd) == entry->cookie;
}

/* The entry that fd, which is described by wanted, gets for an address. */
static const struct lent_sockets_entry *
lent_sockets_match(const struct lent_sockets *lent, int fd,
    const struct lent_sockets_entry *wanted,
    const struct sockaddr_match *address)
{
	const struct lent_sockets_entry *entry;

	for (size_t i = 0; i < lent->count; i++) {
		entry = &lent->entries[i];
		if (entry->domain == wanted->domain &&
		    lent_sockets_same_kind(entry, wanted) &&
		    sockaddr_match_is(&entry->address, address) &&
		    lent_sockets_fits_v6only(lent, entry, wanted) &&
		    lent_sockets_is_open(entry) &&
		    lent_sockets_same_device(entry->fd, fd))
			return entry;
	}
	return NULL;
}

/* True if an IPv6 socket with this address was lent, which wanted does not
 * fit. */
static int
lent_sockets_has_inet6(const struct lent_sockets *lent,
    const struct lent_sockets_entry *wanted,
    const struct sockaddr_match *address)
{
	for (size_t i = 0; i < lent->count; i++)
		if (lent_sockets_same_kind(&lent->entries[i], wanted) &&
		    sockaddr_match_is(&lent->entries[i].address, address))
			return 1;
	return 0;
}

/* An IPv6 socket with IPv4 may get an IPv4 socket: it accepts no more than the
 * program asked for.  Not datagram sockets, whose addresses are in each
 * message. */
static const struct lent_sockets_entry *
lent_sockets_match_mapped(const struct lent_sockets *lent, int fd,
    const struct lent_sockets_entry *wanted,
    const struct sockaddr_match *address)
{
	struct lent_sockets_entry inet = *wanted;
	struct sockaddr_match mapped = {.length = sizeof(mapped.u.in)};

	if (wanted->domain != AF_INET6 || wanted->type != SOCK_STREAM ||
	    wanted->v6only != 0 ||
	    mapped_to_inet(&address->u.any, address->length, &mapped.u.in) ==
		-1 ||
	    lent_sockets_has_inet6(lent, wanted, address))
		return NULL;
	inet.domain = AF_INET;
	return lent_sockets_match(lent, fd, &inet, &mapped);
}

int
lent_sockets_find(const struct lent_sockets *lent, int fd,
    const struct sockaddr *address, socklen_t length, int *out_is_mapped)
{
	struct sockaddr_match copy = {.length = length};
	const struct lent_sockets_entry *entry;
	struct lent_sockets_entry wanted;

	if (lent->count == 0 || address == NULL ||
	    length <= offsetof(struct sockaddr_un, sun_path) ||
	    length > sizeof(copy.u) ||
	    lent_sockets_describe(fd, &wanted) == -1 ||
	    lent_sockets_is_bound(&wanted))
		return -1;
	memcpy(&copy.u, address, length);
	entry = lent_sockets_match(lent, fd, &wanted, &copy);
	if (entry == NULL)
		entry = lent_sockets_match_mapped(lent, fd, &wanted, &copy);
	if (entry == NULL)
		return -1;
	*out_is_mapped = entry->domain != wanted.domain;
	return entry->fd;
}

int
lent_sockets_may_be_bound(int fd)
{
	struct lent_sockets_entry entry;

	if (lent_sockets_describe(fd, &entry) == -1)
		return errno != ENOTSOCK;
	return !lent_sockets_is_bound(&entry);
}

int
lent_sockets_has(const struct lent_sockets *lent, int fd)
{
	uint64_t cookie = lent->count == 0 ? 0 : lent_sockets_cookie(fd);

	for (size_t i = 0; cookie != 0 && i < lent->count; i++)
		if (lent->entries[i].cookie == cookie)
			return 1;
	return 0;
}

int
lent_sockets_has_file(
    const struct lent_sockets *lent, int dirfd, const char *path)
{
	const struct lent_sockets_entry *entry;

	for (size_t i = 0; path != NULL && i < lent->count; i++) {
		entry = &lent->entries[i];
		if (sockaddr_match_is_file(&entry->address, dirfd, path) &&
		    lent_sockets_is_open(entry))
			return 1;
	}
	return 0;
}
