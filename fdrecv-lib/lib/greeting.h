/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/engine_conns.h"

/* Says HELLO on a receipt connection (borrows fd), without waiting.  0, or -1
 * with errno. */
int fdrecv_greeting_send(const struct engine_conns *conns, int fd);
