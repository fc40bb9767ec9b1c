/* SPDX-License-Identifier: ISC */
/*
 * Compares addresses.  Runs in a program that knows nothing of it.  Besides its
 * arguments it looks only at files.
 */
#include "bind/sockaddr_match.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A path of 108 bytes has no NUL in the address. */
#define SOCKADDR_MATCH_PATH_SIZE \
	(sizeof(((struct sockaddr_un *)0)->sun_path) + 1)

int
sockaddr_match_port(const struct sockaddr_storage *address)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memcpy(&in, address, sizeof(in));
	memcpy(&in6, address, sizeof(in6));
	return address->ss_family == AF_INET ? ntohs(in.sin_port) :
	    address->ss_family == AF_INET6   ? ntohs(in6.sin6_port) :
					       -1;
}

/* The path of a Unix-domain address, which ends at a NUL or at its length; ""
 * for an abstract or missing name. */
static void
sockaddr_match_path(const struct sockaddr_storage *address, socklen_t length,
    char path[SOCKADDR_MATCH_PATH_SIZE])
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
sockaddr_match_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* True if both paths lead to the same socket file.  Comparing their last parts
 * first saves system calls for other files. */
static int
sockaddr_match_same_file(const char *lent, int dirfd, const char *path)
{
	struct stat one, other;

	return strcmp(sockaddr_match_basename(lent),
		   sockaddr_match_basename(path)) == 0 &&
	    lstat(lent, &one) == 0 && S_ISSOCK(one.st_mode) &&
	    fstatat(dirfd, path, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static int
sockaddr_match_unix(const struct sockaddr_storage *lent, socklen_t lent_length,
    const struct sockaddr_storage *address, socklen_t length)
{
	char one[SOCKADDR_MATCH_PATH_SIZE], other[SOCKADDR_MATCH_PATH_SIZE];

	sockaddr_match_path(lent, lent_length, one);
	sockaddr_match_path(address, length, other);
	if (one[0] == '\0' || other[0] == '\0')
		return lent_length == length &&
		    memcmp(lent, address, length) == 0;
	return strcmp(one, other) == 0 ||
	    sockaddr_match_same_file(one, AT_FDCWD, other);
}

static int
sockaddr_match_inet(const struct sockaddr_storage *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_in one, other;

	memcpy(&one, lent, sizeof(one));
	memcpy(&other, address, sizeof(other));
	return length >= sizeof(other) && one.sin_port == other.sin_port &&
	    one.sin_addr.s_addr == other.sin_addr.s_addr;
}

static int
sockaddr_match_inet6(const struct sockaddr_storage *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_in6 one, other;

	memcpy(&one, lent, sizeof(one));
	memcpy(&other, address, sizeof(other));
	return length >= sizeof(other) && one.sin6_port == other.sin6_port &&
	    memcmp(&one.sin6_addr, &other.sin6_addr, sizeof(one.sin6_addr)) ==
	    0 &&
	    (!IN6_IS_ADDR_LINKLOCAL(&one.sin6_addr) ||
		one.sin6_scope_id == other.sin6_scope_id);
}

int
sockaddr_match_is(const struct sockaddr_storage *lent, socklen_t lent_length,
    const struct sockaddr_storage *address, socklen_t length)
{
	if (lent->ss_family != address->ss_family)
		return 0;
	switch (address->ss_family) {
	case AF_INET:
		return sockaddr_match_inet(lent, address, length);
	case AF_INET6:
		return sockaddr_match_inet6(lent, address, length);
	case AF_UNIX:
		return sockaddr_match_unix(lent, lent_length, address, length);
	default:
		return 0;
	}
}

int
sockaddr_match_is_file(const struct sockaddr_storage *lent,
    socklen_t lent_length, int dirfd, const char *path)
{
	char file[SOCKADDR_MATCH_PATH_SIZE];

	if (lent->ss_family != AF_UNIX)
		return 0;
	sockaddr_match_path(lent, lent_length, file);
	return file[0] != '\0' && sockaddr_match_same_file(file, dirfd, path);
}

void
sockaddr_match_text(const struct sockaddr *address, socklen_t length,
    char text[SOCKADDR_MATCH_TEXT_SIZE])
{
	struct sockaddr_un un = {.sun_family = AF_UNSPEC};
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (address != NULL && length <= sizeof(un))
		memcpy(&un, address, length);
	if (un.sun_family == AF_UNIX)
		snprintf(text, SOCKADDR_MATCH_TEXT_SIZE, "%s%.107s",
		    un.sun_path[0] == '\0' ? "@" : "",
		    un.sun_path + (un.sun_path[0] == '\0'));
	else if (un.sun_family != AF_UNSPEC &&
	    getnameinfo(address, length, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(text, SOCKADDR_MATCH_TEXT_SIZE,
		    un.sun_family == AF_INET ? "%s:%s" : "[%s]:%s", host, port);
	else
		snprintf(text, SOCKADDR_MATCH_TEXT_SIZE, "something else");
}
