/* SPDX-License-Identifier: ISC */
#ifndef CONF_MEANING_BUILTIN_SOCKET_H
#define CONF_MEANING_BUILTIN_SOCKET_H

#include "conf/output.h"

/* Adds a socket of the broker's own to the endpoints, whatever their limit.
 * Flags, backlog and mode are the caller's to set.  NULL if path is too long
 * or there is no memory, which is noted then. */
struct record_endpoint *builtin_socket_add(struct output *out,
    const char *listener, enum record_kind kind, const char *path);

#endif
