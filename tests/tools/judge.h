/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_JUDGE_H
#define TOOLS_JUDGE_H

#include "outcome.h"

#include <stddef.h>

/* "ID NONCE": two numbers of 16 hexadecimal digits and a blank. */
#define JUDGE_NAME_LENGTH 33

enum judge_request {
	JUDGE_ID,   /* "ID NONCE\n", answered by a line that begins with it */
	JUDGE_HTTP, /* GET, answered by a whole 200 */
	JUDGE_NONE, /* nothing asked, any answer will do */
};

struct judge_question {
	enum judge_request request;
	const char *name;   /* "ID NONCE" of this connection */
	const char *policy; /* how a refusal begins, or NULL */
};

/*
 * What an answer is worth once the end of file has followed it: SERVED,
 * TWICE, SHORT, POLICY, CLOSED (it is empty) or ERROR (it makes no sense).
 * text are the first length bytes of total, and text[length] is NUL.
 *
 * Of an answer of any kind it can only be seen that it came twice if both
 * halves are the same lines.
 */
enum outcome judge_answer(const struct judge_question *question,
    const char *text, size_t length, size_t total);

#endif
