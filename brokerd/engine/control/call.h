/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_CALL_H
#define ENGINE_CONTROL_CALL_H

#include "engine/control/context.h"
#include "engine/control/peer.h"

/* Finds the route of peer's request and answers, with an error if there is
 * none or if the peer may not use it. */
void call_route(const struct control_context *context, struct peer *peer);

#endif
