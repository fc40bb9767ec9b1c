/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_BIND_SOCKADDR_MATCH_H
#define FDRECV_BIND_SOCKADDR_MATCH_H

#include <sys/socket.h>

/* The port, or -1 for what has none. */
int sockaddr_match_port(const struct sockaddr_storage *address);

/* 1 if bind(2) to address means where a socket is bound whose getsockname(2)
 * is lent: the same address and port, the same file by whatever path, the same
 * abstract name.  address is longer than its family alone. */
int sockaddr_match_is(const struct sockaddr_storage *lent,
    socklen_t lent_length, const struct sockaddr_storage *address,
    socklen_t length);

/* 1 if path, looked up from dirfd as unlinkat(2) does, is the file of lent. */
int sockaddr_match_is_file(const struct sockaddr_storage *lent,
    socklen_t lent_length, int dirfd, const char *path);

/* The address as people write it, or a word for what has none.  Returns text,
 * cut off if it is longer. */
#define SOCKADDR_MATCH_TEXT_SIZE 128
const char *sockaddr_match_text(const struct sockaddr *address,
    socklen_t length, char text[SOCKADDR_MATCH_TEXT_SIZE]);

#endif
