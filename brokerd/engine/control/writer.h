/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/peer.h"
#include "engine/control/report.h"

/* Answers the request of peer with a report of a MIME type, one step in each
 * round of events. */
void writer_start(struct peer *peer, const struct control_context *context,
    const char *type, enum report_step (*step)(struct report *report));

/* Gives up: the peer is gone.  NULL is accepted. */
void writer_free(struct writer *writer);
