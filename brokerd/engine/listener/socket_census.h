/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/socket_queue.h"
#include "engine/policy/source_address.h"

/* Calls on_connection for each connection to a bound socket that was accepted
 * and that a process still has, whichever it is.  0, or -1 with errno if the
 * kernel does not tell that, after any number of calls.  It takes time with all
 * connections of the machine: see admission.c. */
int socket_census(struct socket_diag *diag, const struct record_socket *sock,
    void (*on_connection)(void *owner, const struct source_address *from),
    void *owner);
