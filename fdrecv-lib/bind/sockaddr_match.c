/* SPDX-License-Identifier: ISC */
/*
 * Compares addresses.  Runs in a program that knows nothing of it.  Besides its
 * arguments it looks only at files.
 */
#include "bind/sockaddr_match.h"

#include "wire/retry.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A path of 108 bytes has no NUL in the address. */
#define SOCKADDR_MATCH_PATH_SIZE \
	(sizeof(((struct sockaddr_un *)0)->sun_path) + 1)

int
sockaddr_match_port(const struct sockaddr_match *address)
{
	return address->u.any.sa_family == AF_INET ?
	    ntohs(address->u.in.sin_port) :
	    address->u.any.sa_family == AF_INET6 ?
	    ntohs(address->u.in6.sin6_port) :
	    -1;
}

/* The path of a Unix-domain address, which ends at a NUL or at its length; ""
 * for an abstract or missing name. */
static void
sockaddr_match_path(
    const struct sockaddr_match *address, char path[SOCKADDR_MATCH_PATH_SIZE])
{
	size_t room = address->length - offsetof(struct sockaddr_un, sun_path);

	if (room > sizeof(address->u.un.sun_path))
		room = sizeof(address->u.un.sun_path);
	memcpy(path, address->u.un.sun_path, room);
	path[room] = '\0';
}

static const char *
sockaddr_match_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Without memory the kernel would remove a file as well, a moment later. */
static int
sockaddr_match_stat(int dirfd, const char *path, struct stat *out_st)
{
	int result, tries = RETRY_TRIES;

	do
		result = fstatat(dirfd, path, out_st, AT_SYMLINK_NOFOLLOW);
	while (result == -1 && errno == ENOMEM && retry_wait(&tries));
	return result;
}

/* True if both paths lead to the same socket file.  Comparing their last parts
 * first saves system calls for other files. */
static int
sockaddr_match_same_file(const char *lent, int dirfd, const char *path)
{
	struct stat one, other;

	return strcmp(sockaddr_match_basename(lent),
		   sockaddr_match_basename(path)) == 0 &&
	    sockaddr_match_stat(AT_FDCWD, lent, &one) == 0 &&
	    S_ISSOCK(one.st_mode) &&
	    sockaddr_match_stat(dirfd, path, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static int
sockaddr_match_unix(
    const struct sockaddr_match *lent, const struct sockaddr_match *address)
{
	char one[SOCKADDR_MATCH_PATH_SIZE], other[SOCKADDR_MATCH_PATH_SIZE];

	sockaddr_match_path(lent, one);
	sockaddr_match_path(address, other);
	if (one[0] == '\0' || other[0] == '\0')
		return lent->length == address->length &&
		    memcmp(&lent->u, &address->u, lent->length) == 0;
	return strcmp(one, other) == 0 ||
	    sockaddr_match_same_file(one, AT_FDCWD, other);
}

static int
sockaddr_match_inet6(
    const struct sockaddr_in6 *lent, const struct sockaddr_in6 *address)
{
	return lent->sin6_port == address->sin6_port &&
	    IN6_ARE_ADDR_EQUAL(&lent->sin6_addr, &address->sin6_addr) &&
	    (!IN6_IS_ADDR_LINKLOCAL(&lent->sin6_addr) ||
		lent->sin6_scope_id == address->sin6_scope_id);
}

int
sockaddr_match_is(
    const struct sockaddr_match *lent, const struct sockaddr_match *address)
{
	if (lent->u.any.sa_family != address->u.any.sa_family)
		return 0;
	switch (address->u.any.sa_family) {
	case AF_INET:
		return address->length >= sizeof(struct sockaddr_in) &&
		    lent->u.in.sin_port == address->u.in.sin_port &&
		    lent->u.in.sin_addr.s_addr == address->u.in.sin_addr.s_addr;
	case AF_INET6:
		return address->length >= sizeof(struct sockaddr_in6) &&
		    sockaddr_match_inet6(&lent->u.in6, &address->u.in6);
	case AF_UNIX:
		return sockaddr_match_unix(lent, address);
	default:
		return 0;
	}
}

int
sockaddr_match_is_file(
    const struct sockaddr_match *lent, int dirfd, const char *path)
{
	char file[SOCKADDR_MATCH_PATH_SIZE];

	if (lent->u.any.sa_family != AF_UNIX)
		return 0;
	sockaddr_match_path(lent, file);
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
