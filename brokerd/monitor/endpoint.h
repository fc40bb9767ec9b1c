/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_ENDPOINT_H
#define MONITOR_ENDPOINT_H

#include "conf/record.h"

#include <sys/types.h>

/* An endpoint: the socket, and the file that it may have. */
struct endpoint {
	const struct record_endpoint *record; /* borrowed */
	int fd;                               /* -1: not bound */
	dev_t device;
	ino_t inode;        /* 0: no file */
	uint32_t file_user; /* whom the kernel is asked as, see path.c */
};

/* Binds a socket as endpoint's record says and makes it listen.  Gives
 * endpoint->fd.  NULL, or what is wrong, with errno. */
const char *endpoint_bind(struct endpoint *endpoint);

/* Closes the socket and, if removed, deletes its file. */
void endpoint_close(struct endpoint *endpoint, int removed);

/* For endpoint.c alone, in path.c: binds endpoint->fd to the record's path,
 * mode 0600 from birth, then mode, owner and group as asked.  A dead socket in
 * its place is removed, anything else is a refusal.  NULL, or what is wrong,
 * with errno. */
const char *endpoint_bind_path(struct endpoint *endpoint);

#endif
