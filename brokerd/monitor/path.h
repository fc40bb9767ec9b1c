/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/endpoint.h"

/* The file of a local socket. */

/* Binds endpoint->fd to the path in its record, in place of a dead socket.  The
 * file has mode 0600 from its beginning, then mode, owner and group of the
 * record.  NULL, or what is wrong, with errno. */
const char *path_bind(struct endpoint *endpoint);

/* Gives the file of a bound socket mode, owner and group of the record. Returns
 * as above. */
const char *path_chown(struct endpoint *endpoint);

/* Notes which file a socket has that was bound before.  0, or -1 if there is
 * none or, with an origin that is not NULL, if it is not the origin's. */
int path_find(struct endpoint *endpoint, const struct endpoint *origin);
