/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_HELLO_H
#define ENGINE_WORKER_HELLO_H

#include <stddef.h>
#include <stdint.h>

#define HELLO_NAME_SIZE 108

/* What a worker says of itself and its mailbox. */
struct hello {
	char name[HELLO_NAME_SIZE];
	uint64_t device;
	uint64_t inode;
	uint64_t instance;
	uint32_t weight;
	uint32_t connections;
	int counted;
	int paused;
	int offer; /* takes a board */
};

/* Reads the first message of a receipt connection.  0, or -1 if it is none. */
int hello_read(const unsigned char *bytes, size_t size, struct hello *out);

#endif
