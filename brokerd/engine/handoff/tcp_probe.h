/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/handoff.h"
#include "engine/policy/touched.h"

/* Tells whether a worker that died without a receipt can have touched the
 * connection of a hand-off; never TOUCHED_ASK_AGAIN.  A local socket counts as
 * untouched: libfdrecv sends its receipt on arrival, so without a receipt the
 * application never had it. */
enum touched tcp_probe_touched(const struct handoff *handoff);
