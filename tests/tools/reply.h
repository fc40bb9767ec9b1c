/* SPDX-License-Identifier: ISC */
#pragma once

#include "outcome.h"
#include "request.h"

#include <stddef.h>

/* The request that a reply answers. */
struct reply_question {
	enum request_kind request;
	const char *name;   /* "ID NONCE" of this connection */
	const char *policy; /* the beginning of a refusal, or NULL */
};

/*
 * The outcome if the end of file follows this reply: SERVED, TWICE, SHORT,
 * POLICY, CLOSED for an empty reply, or ERROR for any other text.  text has the
 * first length bytes of total, and text[length] is NUL.
 *
 * With REQUEST_NONE a reply counts as TWICE if its halves are equal lines.
 */
enum outcome reply_outcome(const struct reply_question *question,
    const char *text, size_t length, size_t total);
