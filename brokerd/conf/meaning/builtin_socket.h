/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"

/* Adds a socket of the broker's own, RECORD_RENDEZVOUS or RECORD_CONTROL, to
 * the records; the caller sets backlog, mode and what follows the socket.
 * Returns its record, owned by out and valid until the next one is added; NULL
 * if path is too long or there is no memory, which is noted then. */
struct record *builtin_socket_add(struct output *out, enum record_type type,
    enum record_kind kind, const char *path);
