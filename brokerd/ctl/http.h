/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

struct http_reply {
	int code;   /* 200, say */
	char *text; /* the whole reply, ended by a NUL, to be freed */
	char *body; /* in text */
	size_t length;
};

/* Asks at a local socket: method is "GET" or "POST", path a path.  Waits that
 * many seconds for an answer; 0: without limit.  0 and a reply, or -1 with
 * errno: EPROTO for no HTTP, ECONNRESET for no answer, EBADMSG if the answer
 * was cut; then out_reply->length is that of the part that came. */
int http_ask(const char *socket_path, const char *method, const char *path,
    int wait_s, struct http_reply *out_reply);
