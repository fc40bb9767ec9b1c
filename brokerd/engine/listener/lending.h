/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/listener.h"

/* Callback of an endpoint (owner): nobody takes what waits there, or somebody
 * does again. */
void lending_on_untaken(void *owner);

/* Callback of a listener (owner): its sockets are about to be lent, if lends;
 * else a process that had them has ended.  Puts them right.  True if all are
 * usable. */
int lending_may_lend(void *owner, int lends);

/* Tells what becomes of a socket that the configuration has no more, and of the
 * programs that have it. */
void lending_tell_removed(
    struct listener *listener, const struct listener_endpoint *endpoint);
