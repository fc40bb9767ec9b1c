/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HELLO_NAME_SIZE 108

/* The first message of a worker on a receipt connection. */
struct hello {
	char name[HELLO_NAME_SIZE]; /* of its mailbox */
	uint64_t device;            /* likewise */
	uint64_t inode;
	uint64_t instance; /* random, of the process; not 0 */
	uint32_t weight;
	uint32_t connections;   /* that the application serves now */
	int counts_connections; /* the number above is kept up to date */
	int paused;
	int takes_ring;
	uint16_t dead;  /* the end of the instance before it, or 0 */
	int takes_link; /* and wants to know the epoch */
};

/* Decodes a HELLO.  0, or -1 if the message is none. */
int hello_decode(const unsigned char *bytes, size_t size, struct hello *out);
