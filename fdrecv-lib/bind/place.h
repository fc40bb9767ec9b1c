/* SPDX-License-Identifier: ISC */
#ifndef BIND_PLACE_H
#define BIND_PLACE_H

#include <sys/socket.h>

/* The port, or -1 for what has none. */
int place_port(const struct sockaddr_storage *address);

/* 1 if bind(2) to address means where a socket is bound whose getsockname(2)
 * is lent: the same address and port, the same file by whatever path, the same
 * abstract name.  address is longer than its family alone. */
int place_is(const struct sockaddr_storage *lent, socklen_t lent_length,
    const struct sockaddr_storage *address, socklen_t length);

/* 1 if path, looked up from dirfd as unlinkat(2) does, is the file of lent. */
int place_is_file(const struct sockaddr_storage *lent, socklen_t lent_length,
    int dirfd, const char *path);

/* The address as people write it, or a word for what has none.  Returns text,
 * cut off if it is longer. */
#define PLACE_TEXT_SIZE 128
const char *place_text(const struct sockaddr *address, socklen_t length,
    char text[PLACE_TEXT_SIZE]);

#endif
