/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_BIND_SOCKADDR_MATCH_H
#define FDRECV_BIND_SOCKADDR_MATCH_H

#include <sys/socket.h>

/* The port, or -1 if the family has none. */
int sockaddr_match_port(const struct sockaddr_storage *address);

/* True if a bind(2) to address means the address of a lent socket, as
 * getsockname(2) returns it: the same address and port, the same file under any
 * path, or the same abstract name.  address is longer than its family alone. */
int sockaddr_match_is(const struct sockaddr_storage *lent,
    socklen_t lent_length, const struct sockaddr_storage *address,
    socklen_t length);

/* True if path, looked up from dirfd as unlinkat(2) does, is the file of the
 * address of a lent socket. */
int sockaddr_match_is_file(const struct sockaddr_storage *lent,
    socklen_t lent_length, int dirfd, const char *path);

/* Writes the address for a message, truncated if it is longer. */
#define SOCKADDR_MATCH_TEXT_SIZE 128
void sockaddr_match_text(const struct sockaddr *address, socklen_t length,
    char text[SOCKADDR_MATCH_TEXT_SIZE]);

#endif
