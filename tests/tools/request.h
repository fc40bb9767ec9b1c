/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* "ID NONCE": two numbers of 16 hexadecimal digits and a blank. */
#define REQUEST_NAME_LENGTH 33

enum request_kind {
	REQUEST_ID,   /* "ID NONCE\n"; the reply is a line beginning with it */
	REQUEST_HTTP, /* GET; the reply is a complete 200 */
	REQUEST_NONE, /* nothing is sent, and any reply is accepted */
};

/* Room for a request with a path of REQUEST_PATH_MAX bytes. */
#define REQUEST_MAX 1024
#define REQUEST_PATH_MAX 768

/* Writes "ID NONCE", where ID is base + number and NONCE is derived from secret
 * and number. */
void request_name(char out_name[REQUEST_NAME_LENGTH + 1], uint64_t base,
    uint64_t secret, uint64_t number);

/* Writes a request; path is for REQUEST_HTTP.  Returns its length, which is 0
 * for REQUEST_NONE. */
int request_text(char out_text[REQUEST_MAX], enum request_kind request,
    const char *name, const char *path, int slow);
