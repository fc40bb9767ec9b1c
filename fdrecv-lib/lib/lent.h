/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LIB_LENT_H
#define FDRECV_LIB_LENT_H

#include <stddef.h>
#include <stdint.h>

#define LENT_MAX 64 /* sockets that are known again */

/* The lent sockets that the application has. */
struct lent {
	struct {
		int fd; /* the application's; only to ask for its cookie */
		uint64_t cookie;
	} sockets[LENT_MAX];
	size_t count;
};

/* A lent socket comes again from each new engine: true if it is here still,
 * else it is remembered.  Borrows fd. */
int fdrecv_lent_has(struct lent *lent, uint64_t cookie, int fd);

#endif
