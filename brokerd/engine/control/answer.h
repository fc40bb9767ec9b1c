/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/peer.h"

#include <jansson.h>

/*
 * Answers to the request of a peer, which has a limited time to read it.  The
 * connection is closed afterwards.
 */

#define ANSWER_JSON "application/json"

/* Sends text (takes it; NULL: there was no memory for it). */
void answer_text(struct peer *peer, const char *type, char *text);

/* Sends JSON (takes it; NULL: there was no memory for it). */
void answer_json(struct peer *peer, json_t *json);

/* Sends {"status": status, "text": text}; status is one of sysexits(3). */
void answer_result(struct peer *peer, int status, const char *text);
