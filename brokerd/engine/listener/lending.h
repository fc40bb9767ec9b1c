/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/listener.h"

/* Callbacks of a listener (owner) whose sockets are lent. */

/* What waits at a socket is not taken by anybody, or is again. */
void lending_on_untaken(void *owner, struct listener_endpoint *endpoint);

/* The sockets are about to be lent, if lends; else a process that had them has
 * ended.  Puts them right.  True if all are usable. */
int lending_may_lend(void *owner, int lends);

/* Tells what becomes of a socket that the configuration has no more, and of the
 * programs that have it. */
void lending_tell_removed(
    struct listener *listener, const struct listener_endpoint *endpoint);
