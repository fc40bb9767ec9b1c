/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/endpoint.h"

/* The file of a local socket. */

/* Binds endpoint->fd to the path in its record, in place of a dead socket; not
 * if it is live, which means bound before.  A new file has mode 0600 from its
 * beginning; then it gets mode, owner and group of the record.  NULL, or what
 * is wrong, with errno. */
const char *path_bind(struct endpoint *endpoint, int live);

/* Notes which file a socket has that was bound before.  0, or -1 if there is
 * none or, with an origin that is not NULL, if it is not the origin's. */
int path_find(struct endpoint *endpoint, const struct endpoint *origin);
