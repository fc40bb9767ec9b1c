/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>

/* An address with its length, which is more than its family alone. */
struct sockaddr_match {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} u;
};

/* The port, or -1 if the family has none. */
int sockaddr_match_port(const struct sockaddr_match *address);

/* True if a bind(2) to address means the address of a lent socket, as
 * getsockname(2) returns it: the same address and port, the same file under any
 * path, or the same abstract name. */
int sockaddr_match_is(
    const struct sockaddr_match *lent, const struct sockaddr_match *address);

/* True if path, looked up from dirfd as unlinkat(2) does, is the file of a lent
 * socket. */
int sockaddr_match_is_file(
    const struct sockaddr_match *lent, int dirfd, const char *path);

/* Writes an address for a message, truncated if it is longer. */
#define SOCKADDR_MATCH_TEXT_SIZE 128
void sockaddr_match_text(const struct sockaddr *address, socklen_t length,
    char text[SOCKADDR_MATCH_TEXT_SIZE]);
