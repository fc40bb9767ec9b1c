/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/context.h"
#include "engine/control/peer.h"

/* Does what the request of a peer asks for and answers it, or answers with an
 * error if its path does not exist or the peer may not use it. */
void routes_handle(const struct control_context *context, struct peer *peer);
