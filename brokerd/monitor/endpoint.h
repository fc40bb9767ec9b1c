/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_ENDPOINT_H
#define MONITOR_ENDPOINT_H

#include "record/record.h"

#include <sys/types.h>

/* An endpoint: the socket, and the file that it may have. */
struct endpoint {
	const struct record *record; /* borrowed */
	int fd;                      /* -1: not bound */
	dev_t device;
	ino_t inode;        /* 0: no file */
	uint32_t file_user; /* whom the kernel is asked as, see path.c */
	int shared;         /* it lives on elsewhere when this one is closed */
	const struct endpoint *from; /* of the table before, until that ends */
};

enum endpoint_end {
	ENDPOINT_STOP,   /* its file goes */
	ENDPOINT_REVOKE, /* whoever was lent it has it no more, either */
};

/* Binds a socket as endpoint's record says and makes it listen.  Gives
 * endpoint->fd.  NULL, or what is wrong, with errno. */
const char *endpoint_bind(struct endpoint *endpoint);

/* Sets what can change of a socket in use, which is bound as the record says.
 * NULL, or what is wrong, with errno. */
const char *endpoint_apply(struct endpoint *endpoint);

/* Closes the socket; ends it as told unless it lives on elsewhere. */
void endpoint_close(struct endpoint *endpoint, enum endpoint_end end);

/* For endpoint.c, in path.c: binds endpoint->fd to the record's path,
 * mode 0600 from birth, then mode, owner and group as asked.  A dead socket in
 * its place is removed, anything else is a refusal.  NULL, or what is wrong,
 * with errno. */
const char *endpoint_bind_path(struct endpoint *endpoint);

/* Likewise: gives the file mode, owner and group as asked. */
const char *endpoint_give_path(struct endpoint *endpoint);

/* Likewise, for table.c: finds the file of a socket that was bound before; of
 * is what is known of it, or NULL. */
const char *endpoint_find_path(
    struct endpoint *endpoint, const struct endpoint *of);

#endif
