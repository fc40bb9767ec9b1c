/* SPDX-License-Identifier: ISC */
/*
 * Whether two addresses are the same.  Runs in a program that knows nothing of
 * it; looks at files, and at nothing else outside its arguments.
 */
#include "bind/sockaddr_match.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Long enough for a path of 108 bytes, which has no NUL of its own. */
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
 * for an abstract one or none. */
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
sockaddr_match_last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* The same file, whatever way leads there.  The last part of both ways is the
 * same then, which is asked first: that costs nothing. */
static int
sockaddr_match_is_same_file(const char *lent, int dirfd, const char *path)
{
	struct stat ours, theirs;

	return strcmp(sockaddr_match_last_part(lent),
		   sockaddr_match_last_part(path)) == 0 &&
	    lstat(lent, &ours) == 0 && S_ISSOCK(ours.st_mode) &&
	    fstatat(dirfd, path, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static int
sockaddr_match_is_unix(const struct sockaddr_storage *lent,
    socklen_t lent_length, const struct sockaddr_storage *address,
    socklen_t length)
{
	char ours[SOCKADDR_MATCH_PATH_SIZE], theirs[SOCKADDR_MATCH_PATH_SIZE];

	sockaddr_match_path(lent, lent_length, ours);
	sockaddr_match_path(address, length, theirs);
	if (ours[0] == '\0' || theirs[0] == '\0')
		return lent_length == length &&
		    memcmp(lent, address, length) == 0;
	return strcmp(ours, theirs) == 0 ||
	    sockaddr_match_is_same_file(ours, AT_FDCWD, theirs);
}

static int
sockaddr_match_is_inet(const struct sockaddr_storage *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_in ours, theirs;

	memcpy(&ours, lent, sizeof(ours));
	memcpy(&theirs, address, sizeof(theirs));
	return length >= sizeof(theirs) && ours.sin_port == theirs.sin_port &&
	    ours.sin_addr.s_addr == theirs.sin_addr.s_addr;
}

static int
sockaddr_match_is_inet6(const struct sockaddr_storage *lent,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_in6 ours, theirs;

	memcpy(&ours, lent, sizeof(ours));
	memcpy(&theirs, address, sizeof(theirs));
	return length >= sizeof(theirs) && ours.sin6_port == theirs.sin6_port &&
	    memcmp(&ours.sin6_addr, &theirs.sin6_addr,
		sizeof(ours.sin6_addr)) == 0 &&
	    (!IN6_IS_ADDR_LINKLOCAL(&ours.sin6_addr) ||
		ours.sin6_scope_id == theirs.sin6_scope_id);
}

int
sockaddr_match_is(const struct sockaddr_storage *lent, socklen_t lent_length,
    const struct sockaddr_storage *address, socklen_t length)
{
	if (lent->ss_family != address->ss_family)
		return 0;
	switch (address->ss_family) {
	case AF_INET:
		return sockaddr_match_is_inet(lent, address, length);
	case AF_INET6:
		return sockaddr_match_is_inet6(lent, address, length);
	case AF_UNIX:
		return sockaddr_match_is_unix(
		    lent, lent_length, address, length);
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
	return file[0] != '\0' &&
	    sockaddr_match_is_same_file(file, dirfd, path);
}

const char *
sockaddr_match_text(const struct sockaddr *address, socklen_t length,
    char text[SOCKADDR_MATCH_TEXT_SIZE])
{
	struct sockaddr_storage copy = {0};
	char host[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	struct sockaddr_un un;

	if (address != NULL && length <= sizeof(copy))
		memcpy(&copy, address, length);
	memcpy(&in, &copy, sizeof(in));
	memcpy(&in6, &copy, sizeof(in6));
	memcpy(&un, &copy, sizeof(un));
	if (copy.ss_family == AF_INET &&
	    inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host)) != NULL)
		snprintf(text, SOCKADDR_MATCH_TEXT_SIZE, "%s:%d", host,
		    sockaddr_match_port(&copy));
	else if (copy.ss_family == AF_INET6 &&
	    inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host)) != NULL)
		snprintf(text, SOCKADDR_MATCH_TEXT_SIZE, "[%s]:%d", host,
		    sockaddr_match_port(&copy));
	else if (copy.ss_family == AF_UNIX)
		snprintf(text, SOCKADDR_MATCH_TEXT_SIZE, "%s%.107s",
		    un.sun_path[0] == '\0' ? "@" : "",
		    un.sun_path + (un.sun_path[0] == '\0'));
	else
		snprintf(text, SOCKADDR_MATCH_TEXT_SIZE, "something else");
	return text;
}
