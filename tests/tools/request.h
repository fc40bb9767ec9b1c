/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_REQUEST_H
#define TOOLS_REQUEST_H

#include "judge.h"

#include <stdint.h>

/* Enough for a request with a path of REQUEST_PATH_MAX bytes. */
#define REQUEST_MAX 1024
#define REQUEST_PATH_MAX 768

/* "ID NONCE" with an ID of base + number and a NONCE that follows from secret
 * and number. */
void request_name(char out_name[JUDGE_NAME_LENGTH + 1], uint64_t base,
    uint64_t secret, uint64_t number);

/* Writes a request; path is of JUDGE_HTTP.  Returns its length, 0 for
 * JUDGE_NONE. */
int request_text(char out_text[REQUEST_MAX], enum judge_request request,
    const char *name, const char *path, int slow);

#endif
