/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/endpoint.h"

/* The file of a local socket.  Each function returns NULL, or what is wrong,
 * with errno. */

/* Binds endpoint->fd to the path in its record, in place of a dead socket.  The
 * file has mode 0600 from its beginning, then mode, owner and group of the
 * record. */
const char *path_bind(struct endpoint *endpoint);

/* Gives the file of a bound socket mode, owner and group of the record. */
const char *path_chown(struct endpoint *endpoint);

/* Notes which file a socket has that was bound before.  If it was known, as
 * origin (or NULL), it must be the same file. */
const char *path_find(struct endpoint *endpoint, const struct endpoint *origin);
