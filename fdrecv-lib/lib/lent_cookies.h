/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LENT_COOKIES_MAX 64

/* The lent sockets that were given to the application. */
struct lent_cookies {
	struct {
		int fd; /* the application's; only asked for its cookie */
		uint64_t cookie;
	} sockets[LENT_COOKIES_MAX];
	size_t count;
};

/* Each new engine lends its sockets again.  True if the application still has
 * the socket with this cookie under another number than fd; otherwise remembers
 * that it has it as fd.  Borrows fd. */
int fdrecv_lent_cookies_has(struct lent_cookies *lent, uint64_t cookie, int fd);
