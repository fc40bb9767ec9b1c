/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <sys/types.h>

/* A bound socket, and its file if it has one. */
struct endpoint {
	const struct record *record; /* borrowed */
	int fd;                      /* -1: not bound */
	int beside;                  /* a dead UDP socket (borrowed) that it is
				      * to be bound beside; 0: none */
	uint32_t error;              /* why it could not be bound */
	dev_t device;
	ino_t inode;    /* 0: no file */
	uint32_t fsuid; /* used for file operations, see path.c */
	int shared;     /* another table or process has the socket too */
	struct endpoint *origin; /* in the table before, until that ends, or
				  * NULL */
};

enum endpoint_end {
	ENDPOINT_STOP,   /* remove the file */
	ENDPOINT_REVOKE, /* and shut down, in all processes */
};

/* Binds a socket as endpoint's record says, and listens.  Gives endpoint->fd.
 * NULL, or what is wrong, with errno. */
const char *endpoint_bind(struct endpoint *endpoint);

/* Makes a socket what the record says: a new one, or of a live one, which is in
 * use, what can be changed.  NULL, or what is wrong, with errno. */
const char *endpoint_apply(struct endpoint *endpoint, int live);

/* Closes the socket, and unless it is shared ends it.  0, or an errno if its
 * file could not be removed. */
int endpoint_close(struct endpoint *endpoint, enum endpoint_end end);
