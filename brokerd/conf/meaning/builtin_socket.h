/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"

/* Adds a socket of the broker's own, RECORD_RENDEZVOUS or RECORD_CONTROL, to
 * the records.  The caller sets backlog, mode and the fields after the socket.
 * Returns the record, as output_add() does; NULL also if path is too long. */
struct record *builtin_socket_add(struct output *out, enum record_type type,
    enum record_kind kind, const char *path);
