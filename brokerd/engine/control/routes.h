/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/peer.h"
#include "engine/control/report.h"

/* Does what the request of a peer asks for and answers it, or answers with an
 * error if its path does not exist or the peer may not use it. */
void routes_handle(const struct control_context *context, struct peer *peer);
