/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/peer.h"
#include "engine/control/report.h"

/*
 * Answers to the request of a peer, which has a limited time to read it.  The
 * connection is closed afterwards.
 */

#define ANSWER_JSON "application/json"

/* Sends JSON (takes it; NULL: there was no memory for it). */
void answer_json(struct peer *peer, json_t *json);

/* Sends {"status": status, "text": text}; status is one of sysexits(3). */
void answer_result(struct peer *peer, int status, const char *text);

/* Sends a report of a MIME type: writes one step in each round of events, and
 * sends the text when it is complete. */
void answer_report(struct peer *peer, const struct control_context *context,
    const char *type, enum report_step (*step)(struct report *report));
